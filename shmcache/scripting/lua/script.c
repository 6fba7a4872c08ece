/* The library `redis`, and the running of scripts. See script.h. */
#include "script.h"

#include <string.h>

enum { INSTRUCTIONS_A_TICK = 100000 };
enum { LOG_LEVELS = 4, REPL_ALL = 3 };

script_host_functions script_host;
int script_resp = 2;

static int globals_ref, redis_ref, loading_ref, front_ref;

/* ---- errors
 * ---------------------------------------------------------------------------------------*/

void script_push_error(lua_State *L, const char *text) {
    lua.lua_createtable(L, 0, 2);
    const char *message = *text == '-' ? text + 1 : text;
    if (strchr(message, ' ') && *text == '-') {
        lua.lua_pushstring(L, message);
    } else {
        lua.lua_pushfstring(L, "ERR %s", message);
    }
    lua.lua_setfield(L, -2, "err");
    lua.lua_pushboolean(L, 1);
    lua.lua_setfield(L, -2, "ignore_error_stats_update");
}

static int raise(lua_State *L, const char *text) {
    script_push_error(L, text);
    return lua.lua_error(L);
}

int script_error_handler(lua_State *L) {
    lua_Debug place;
    bool known = lua.lua_getstack(L, 1, &place) && lua.lua_getinfo(L, "Sl", &place);
    if (known && strcmp(place.what, "C") == 0) {
        known = lua.lua_getstack(L, 2, &place) && lua.lua_getinfo(L, "Sl", &place);
    }
    if (lua.lua_type(L, 1) != LUA_TTABLE) {
        const char *text = lua.lua_tolstring(L, 1, NULL);
        if (!text) text = lua.lua_typename(L, lua.lua_type(L, 1));
        lua.lua_createtable(L, 0, 3);
        lua.lua_pushfstring(L, "ERR %s", text);
        lua.lua_setfield(L, -2, "err");
        lua.lua_replace(L, 1);
    }
    lua.lua_settop(L, 1);
    if (known) {
        lua.lua_pushstring(L, "source");
        lua.lua_pushstring(L, place.source);
        lua.lua_rawset(L, 1);
        lua.lua_pushstring(L, "line");
        lua.lua_pushnumber(L, place.currentline);
        lua.lua_rawset(L, 1);
    }
    return 1;
}

/* ---- redis.*
 * --------------------------------------------------------------------------------------*/

static int redis_call(lua_State *L) {
    if (!script_host.command(L)) return lua.lua_error(L);
    return 1;
}

static int redis_pcall(lua_State *L) {
    script_host.command(L);
    return 1;
}

static int redis_acl_check_cmd(lua_State *L) {
    if (!script_host.check_command(L)) return lua.lua_error(L);
    return 1;
}

static int redis_register_function(lua_State *L) {
    if (!script_host.register_function(L)) return lua.lua_error(L);
    return 0;
}

/* A table with one field that is the only argument, a string. */
static bool push_only_string(lua_State *L) {
    if (lua.lua_gettop(L) == 1 && lua.lua_type(L, 1) == LUA_TSTRING) return true;
    script_push_error(L, "wrong number or type of arguments");
    return false;
}

static int redis_error_reply(lua_State *L) {
    if (!push_only_string(L)) return 1;
    const char *text = lua.lua_tolstring(L, 1, NULL);
    if (*text != '-') text = lua.lua_pushfstring(L, "-%s", text);
    script_push_error(L, text);
    return 1;
}

static int redis_status_reply(lua_State *L) {
    if (!push_only_string(L)) return 1;
    lua.lua_createtable(L, 0, 1);
    lua.lua_pushvalue(L, 1);
    lua.lua_setfield(L, -2, "ok");
    return 1;
}

static int redis_sha1hex(lua_State *L) {
    if (lua.lua_gettop(L) != 1) return raise(L, "wrong number of arguments");
    script_host.push_sha1(L, 1);
    return 1;
}

static int redis_log(lua_State *L) {
    int arguments = lua.lua_gettop(L);
    if (arguments < 2) return raise(L, "redis.log() requires two arguments or more.");
    if (!lua.lua_isnumber(L, 1) || lua.lua_type(L, 1) != LUA_TNUMBER) {
        return raise(L, "First argument must be a number (log level).");
    }
    double level = lua.lua_tonumber(L, 1);
    if (!(level >= 0 && level < LOG_LEVELS)) return raise(L, "Invalid debug level.");
    static scratch text;
    scratch_clear(&text);
    for (int i = 2; i <= arguments; i++) {
        size_t length;
        const char *part = lua.lua_tolstring(L, i, &length);
        if (!part) continue;
        if (i > 2) scratch_byte(L, &text, ' ');
        scratch_add(L, &text, part, length);
    }
    script_host.log(L, (int)level, text.bytes, text.length);
    return 0;
}

static int redis_setresp(lua_State *L) {
    if (lua.lua_gettop(L) != 1) return raise(L, "redis.setresp() requires one argument.");
    double resp = lua.lua_tonumber(L, 1);
    if (resp != 2 && resp != 3) return raise(L, "RESP version must be 2 or 3.");
    script_resp = (int)resp;
    return 0;
}

static int redis_breakpoint(lua_State *L) {
    lua.lua_pushboolean(L, 0); /* there is no debugger to stop in */
    return 1;
}

static int redis_debug(lua_State *L) {
    (void)L;
    return 0;
}

static int redis_replicate_commands(lua_State *L) {
    lua.lua_pushboolean(L, 1);
    return 1;
}

static int redis_set_repl(lua_State *L) {
    if (lua.lua_gettop(L) != 1) return raise(L, "redis.set_repl() requires two arguments.");
    double flags = lua.lua_tonumber(L, 1);
    if (!(flags >= 0 && flags <= REPL_ALL)) {
        return raise(L, "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or "
                        "REPL_NONE.");
    }
    return 0;
}

/* ---- the globals ------------------------------------------------------------------------------*/

static void add_numbers(lua_State *L) {
    static const struct {
        const char *name;
        int value;
    } numbers[] = {
        {"LOG_DEBUG", 0},   {"LOG_VERBOSE", 1},  {"LOG_NOTICE", 2},
        {"LOG_WARNING", 3}, {"REPL_NONE", 0},    {"REPL_AOF", 1},
        {"REPL_SLAVE", 2},  {"REPL_REPLICA", 2}, {"REPL_ALL", REPL_ALL},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        lua.lua_pushnumber(L, numbers[i].value);
        lua.lua_setfield(L, -2, numbers[i].name);
    }
}

static void add_version(lua_State *L, const char *version, int number) {
    lua.lua_pushstring(L, version);
    lua.lua_setfield(L, -2, "REDIS_VERSION");
    lua.lua_pushnumber(L, number);
    lua.lua_setfield(L, -2, "REDIS_VERSION_NUM");
}

static void push_redis(lua_State *L, const char *version, int number) {
    static const lua_entry functions[] = {
        {"call", redis_call},
        {"pcall", redis_pcall},
        {"acl_check_cmd", redis_acl_check_cmd},
        {"error_reply", redis_error_reply},
        {"status_reply", redis_status_reply},
        {"sha1hex", redis_sha1hex},
        {"log", redis_log},
        {"setresp", redis_setresp},
        {"breakpoint", redis_breakpoint},
        {"debug", redis_debug},
        {"replicate_commands", redis_replicate_commands},
        {"set_repl", redis_set_repl},
        {NULL, NULL},
    };
    lua.lua_createtable(L, 0, 32);
    lua_add_functions(L, functions);
    add_numbers(L);
    add_version(L, version, number);
    sandbox_protect(L);
}

static int refuse_unknown(lua_State *L) {
    return lua.luaL_error(L, "Script attempted to access nonexistent global variable '%s'",
                          lua.lua_tolstring(L, 2, NULL));
}

/* What a function library sees while it is loaded: no commands, but register_function. */
static void push_loading_redis(lua_State *L, const char *version, int number) {
    static const lua_entry functions[] = {
        {"error_reply", redis_error_reply},
        {"status_reply", redis_status_reply},
        {"sha1hex", redis_sha1hex},
        {"log", redis_log},
        {"register_function", redis_register_function},
        {NULL, NULL},
    };
    lua.lua_createtable(L, 0, 32);
    lua_add_functions(L, functions);
    add_numbers(L);
    add_version(L, version, number);
    lua.lua_createtable(L, 0, 1);
    lua_pushcfunction(L, refuse_unknown);
    lua.lua_setfield(L, -2, "__index");
    lua.lua_setmetatable(L, -2);
    sandbox_protect(L);
}

static void add_library(lua_State *L, const char *name) {
    sandbox_protect(L);
    lua.lua_setfield(L, -2, name);
}

/* The real globals on top get a metatable, which scripts see a front of, and become a front. */
static void make_globals(lua_State *L) {
    lua.lua_createtable(L, 0, 1);
    lua_pushcfunction(L, refuse_unknown);
    lua.lua_setfield(L, -2, "__index");
    lua.lua_pushvalue(L, -1);
    sandbox_protect(L);
    lua.lua_insert(L, -3);
    lua.lua_setmetatable(L, -2);
    lua.lua_pushvalue(L, -1);
    globals_ref = lua.luaL_ref(L, LUA_REGISTRYINDEX);
    lua.lua_pushvalue(L, -1);
    sandbox_protect(L);
    lua.lua_pushvalue(L, -1);
    lua.lua_setfield(L, -3, "_G");
    lua.lua_getmetatable(L, -1);
    lua.lua_pushvalue(L, -4);
    lua.lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    lua.lua_pushvalue(L, -1);
    front_ref = lua.luaL_ref(L, LUA_REGISTRYINDEX);
    lua.lua_replace(L, LUA_GLOBALSINDEX);
    lua_pop(L, 2);
}

void script_open(lua_State *L, const char *version, int number) {
    sandbox_open(L);
    lua_open_bit(L);
    add_library(L, "bit");
    lua_open_cjson(L);
    add_library(L, "cjson");
    lua_open_cmsgpack(L);
    add_library(L, "cmsgpack");
    lua_open_struct(L);
    add_library(L, "struct");
    push_loading_redis(L, version, number);
    loading_ref = lua.luaL_ref(L, LUA_REGISTRYINDEX);
    push_redis(L, version, number);
    lua.lua_pushvalue(L, -1);
    redis_ref = lua.luaL_ref(L, LUA_REGISTRYINDEX);
    lua.lua_setfield(L, -2, "redis");
    make_globals(L);
}

void script_set_global(lua_State *L, const char *name) {
    lua.lua_rawgeti(L, LUA_REGISTRYINDEX, globals_ref);
    lua.lua_insert(L, -2);
    lua.lua_pushstring(L, name);
    lua.lua_insert(L, -2);
    lua.lua_rawset(L, -3);
    lua_pop(L, 1);
}

void script_loading(lua_State *L, bool loading) {
    lua.lua_rawgeti(L, LUA_REGISTRYINDEX, loading ? loading_ref : redis_ref);
    script_set_global(L, "redis");
}

/* ---- running ----------------------------------------------------------------------------------*/

static void tick(lua_State *L, lua_Debug *place) {
    (void)place;
    if (script_host.tick(L)) {
        script_stop(L);
        lua.lua_error(L);
    }
}

void script_stop(lua_State *L) {
    lua.lua_sethook(L, tick, LUA_MASKLINE, 0);
}

void script_begin(lua_State *L) {
    script_resp = 2;
    sandbox_clean(L);
    lua.lua_sethook(L, tick, LUA_MASKCOUNT, INSTRUCTIONS_A_TICK);
}
