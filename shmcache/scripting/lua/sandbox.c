/* Lua's base functions for people who must not be trusted.
 *
 * Every script shares one set of globals, so that none may change them. Lua 5.1 has no read-only
 * tables; what scripts get instead are empty tables, *fronts*, whose metatable reads through to the
 * real table and refuses to be written to. A front's metatable cannot be had, and the functions
 * that would go around metatables (rawset, rawget, next, pairs, setmetatable) are versions that
 * know of fronts. A few of Lua's own (table.insert and the like) can still put numbered elements
 * into the front itself; sandbox_clean takes them out before the next script.
 *
 * Not there at all: print, dofile, loadfile, require, getfenv, setfenv, newproxy, io, os but for
 * its clock, and bytecode, with which Lua 5.1 could be made to read and write any memory. */
#include <math.h>
#include <string.h>

#include "script.h"

static const char MODIFY[] = "Attempt to modify a readonly table";
enum { BYTECODE = 27, MOST_FRONTS = 32 };

static char real_key, fronts_key; /* their addresses are keys that no script has */

static void push_key(lua_State *L, char *key) {
    lua.lua_pushlightuserdata(L, key);
}

static int refuse(lua_State *L) {
    return lua.luaL_error(L, "%s", MODIFY);
}

static int refuse_without_place(lua_State *L) {
    lua.lua_pushstring(L, MODIFY);
    return lua.lua_error(L);
}

bool sandbox_push_real(lua_State *L, int index) {
    if (lua.lua_type(L, index) != LUA_TTABLE || !lua.lua_getmetatable(L, index)) return false;
    push_key(L, &real_key);
    lua.lua_rawget(L, -2);
    lua.lua_remove(L, -2);
    if (lua.lua_type(L, -1) == LUA_TTABLE) return true;
    lua_pop(L, 1);
    return false;
}

/* Fronts are kept in a list, for sandbox_clean. */
static void enlist(lua_State *L, int front) {
    push_key(L, &fronts_key);
    lua.lua_rawget(L, LUA_REGISTRYINDEX);
    int i = 1;
    for (;; i++) {
        lua.lua_rawgeti(L, -1, i);
        bool free = lua.lua_type(L, -1) == LUA_TNIL;
        lua_pop(L, 1);
        if (free) break;
    }
    lua.lua_pushvalue(L, front);
    lua.lua_rawseti(L, -2, i);
    lua_pop(L, 1);
}

void sandbox_protect(lua_State *L) {
    int real = lua.lua_gettop(L);
    lua.lua_createtable(L, 0, 0);
    lua.lua_createtable(L, 0, 4);
    lua.lua_pushvalue(L, real);
    lua.lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, refuse);
    lua.lua_setfield(L, -2, "__newindex");
    push_key(L, &real_key);
    lua.lua_pushvalue(L, real);
    lua.lua_rawset(L, -3);
    lua.lua_setmetatable(L, -2);
    enlist(L, real + 1);
    lua.lua_replace(L, real);
}

void sandbox_clean(lua_State *L) {
    push_key(L, &fronts_key);
    lua.lua_rawget(L, LUA_REGISTRYINDEX);
    for (int i = 1; i <= MOST_FRONTS; i++) {
        lua.lua_rawgeti(L, -1, i);
        if (lua.lua_type(L, -1) == LUA_TNIL) {
            lua_pop(L, 1);
            break;
        }
        for (lua.lua_pushnil(L); lua.lua_next(L, -2); lua.lua_pushnil(L)) {
            lua_pop(L, 1);
            lua.lua_pushnil(L);
            lua.lua_rawset(L, -3);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* ---- base functions ---------------------------------------------------------------------------*/

/* As Lua's, but that an error table is turned into its text. */
static int safe_pcall(lua_State *L) {
    lua.luaL_checkany(L, 1);
    lua.lua_pushboolean(L, 1);
    lua.lua_insert(L, 1);
    if (lua.lua_pcall(L, lua.lua_gettop(L) - 2, LUA_MULTRET, 0) == 0) return lua.lua_gettop(L);
    if (lua.lua_type(L, -1) == LUA_TTABLE) {
        lua.lua_pushstring(L, "err");
        lua.lua_rawget(L, -2);
        if (lua.lua_type(L, -1) == LUA_TSTRING) {
            lua.lua_replace(L, -2);
        } else {
            lua_pop(L, 1);
        }
    }
    lua.lua_pushboolean(L, 0);
    lua.lua_insert(L, -2);
    return 2;
}

static int safe_next(lua_State *L) {
    lua.luaL_checktype(L, 1, LUA_TTABLE);
    lua.lua_settop(L, 2);
    if (sandbox_push_real(L, 1)) lua.lua_replace(L, 1);
    if (lua.lua_next(L, 1)) return 2;
    lua.lua_pushnil(L);
    return 1;
}

static int safe_pairs(lua_State *L) {
    lua.luaL_checktype(L, 1, LUA_TTABLE);
    lua_pushcfunction(L, safe_next);
    lua.lua_pushvalue(L, 1);
    lua.lua_pushnil(L);
    return 3;
}

static int safe_rawget(lua_State *L) {
    lua.luaL_checktype(L, 1, LUA_TTABLE);
    lua.luaL_checkany(L, 2);
    lua.lua_settop(L, 2);
    if (sandbox_push_real(L, 1)) lua.lua_replace(L, 1);
    lua.lua_rawget(L, 1);
    return 1;
}

static int safe_rawset(lua_State *L) {
    lua.luaL_checktype(L, 1, LUA_TTABLE);
    lua.luaL_checkany(L, 2);
    lua.luaL_checkany(L, 3);
    lua.lua_settop(L, 3);
    if (sandbox_push_real(L, 1)) return refuse_without_place(L);
    lua.lua_rawset(L, 1);
    return 1;
}

static int safe_getmetatable(lua_State *L) {
    lua.luaL_checkany(L, 1);
    bool is_front = sandbox_push_real(L, 1);
    if (is_front) lua_pop(L, 1);
    if (!lua.lua_getmetatable(L, 1)) {
        lua.lua_pushnil(L);
        return 1;
    }
    lua.lua_pushstring(L, "__metatable");
    lua.lua_rawget(L, -2);
    if (!is_front && lua.lua_type(L, -1) == LUA_TNIL) lua_pop(L, 1);
    return 1;
}

static int safe_setmetatable(lua_State *L) {
    lua.luaL_checktype(L, 1, LUA_TTABLE);
    int type = lua.lua_type(L, 2);
    if (type != LUA_TNIL && type != LUA_TTABLE) {
        lua.luaL_argerror(L, 2, "nil or table expected");
    }
    if (sandbox_push_real(L, 1)) return refuse_without_place(L);
    if (lua.lua_getmetatable(L, 1)) {
        lua.lua_pushstring(L, "__metatable");
        lua.lua_rawget(L, -2);
        if (lua.lua_type(L, -1) != LUA_TNIL) {
            lua.luaL_error(L, "cannot change a protected metatable");
        }
    }
    lua.lua_settop(L, 2);
    lua.lua_setmetatable(L, 1);
    return 1;
}

static int load_text(lua_State *L, const char *text, size_t length, const char *name) {
    if (length && text[0] == BYTECODE) {
        lua.lua_pushnil(L);
        lua.lua_pushstring(L, "bytecode is not loaded");
        return 2;
    }
    if (lua.luaL_loadbuffer(L, text, length, name) == 0) return 1;
    lua.lua_pushnil(L);
    lua.lua_insert(L, -2);
    return 2;
}

static int safe_loadstring(lua_State *L) {
    size_t length;
    const char *text = lua.luaL_checklstring(L, 1, &length);
    const char *name = lua_isnoneornil(L, 2) ? text : lua.luaL_checklstring(L, 2, NULL);
    return load_text(L, text, length, name);
}

/* load(f): what f gives, piece by piece, is put together first, so that it can be looked at. Its
 * own memory, a Lua string, since f may call load in turn. */
static int safe_load(lua_State *L) {
    lua.luaL_checktype(L, 1, LUA_TFUNCTION);
    const char *name = lua_isnoneornil(L, 2) ? "=(load)" : lua.luaL_checklstring(L, 2, NULL);
    lua.lua_settop(L, 2);
    lua.lua_getfield(L, lua_upvalueindex(1), "concat");
    lua.lua_createtable(L, 0, 0);
    for (int i = 1;; i++) {
        lua.lua_pushvalue(L, 1);
        lua.lua_call(L, 0, 1);
        size_t length = 0;
        if (lua.lua_type(L, -1) == LUA_TNIL) break;
        if (!lua.lua_tolstring(L, -1, &length)) {
            lua.luaL_error(L, "reader function must return a string");
        }
        if (length == 0) break;
        lua.lua_rawseti(L, 4, i);
    }
    lua_pop(L, 1);
    lua.lua_call(L, 1, 1);
    size_t length;
    const char *text = lua.lua_tolstring(L, -1, &length);
    return load_text(L, text, length, name);
}

/* ---- random numbers: the sequence of drand48, the same after each seed on every machine
 * ---------*/

static uint64_t random_state;

void sandbox_seed(uint32_t seed) {
    random_state = (uint64_t)seed << 16 | 0x330E;
}

static int math_random(lua_State *L) {
    random_state = (random_state * UINT64_C(0x5DEECE66D) + 0xB) & ((UINT64_C(1) << 48) - 1);
    double unit = (double)((random_state >> 17) % INT32_MAX) / INT32_MAX;
    switch (lua.lua_gettop(L)) {
    case 0:
        lua.lua_pushnumber(L, unit);
        return 1;
    case 1: {
        int most = (int)lua.luaL_checkinteger(L, 1);
        if (most < 1) lua.luaL_argerror(L, 1, "interval is empty");
        lua.lua_pushnumber(L, floor(unit * most) + 1);
        return 1;
    }
    case 2: {
        int least = (int)lua.luaL_checkinteger(L, 1), most = (int)lua.luaL_checkinteger(L, 2);
        if (least > most) lua.luaL_argerror(L, 2, "interval is empty");
        lua.lua_pushnumber(L, floor(unit * ((double)most - least + 1)) + least);
        return 1;
    }
    default:
        return lua.luaL_error(L, "wrong number of arguments");
    }
}

static int math_randomseed(lua_State *L) {
    sandbox_seed((uint32_t)lua.luaL_checkinteger(L, 1));
    return 0;
}

/* ---- putting it together
 * ------------------------------------------------------------------------*/

static void open_library(lua_State *L, lua_CFunction open, const char *name) {
    lua_pushcfunction(L, open);
    lua.lua_pushstring(L, name);
    lua.lua_call(L, 1, 0);
}

/* Take over some globals of the state into the table below the top of the stack. */
static void take(lua_State *L, const char *const *names) {
    for (; *names; names++) {
        lua.lua_getfield(L, LUA_GLOBALSINDEX, *names);
        lua.lua_setfield(L, -2, *names);
    }
}

static void protect_field(lua_State *L, const char *name) {
    lua.lua_getfield(L, -1, name);
    sandbox_protect(L);
    lua.lua_setfield(L, -2, name);
}

/* Strings have a metatable, through which the real table `string` could be had. */
static void protect_strings(lua_State *L) {
    lua.lua_pushstring(L, "");
    lua.lua_getmetatable(L, -1);
    lua.lua_getfield(L, -3, "string");
    lua.lua_setfield(L, -2, "__index");
    lua.lua_createtable(L, 0, 1);
    lua.lua_getfield(L, -4, "string");
    lua.lua_setfield(L, -2, "__index");
    sandbox_protect(L);
    lua.lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);
}

/* Pushes the real table of globals. */
void sandbox_open(lua_State *L) {
    static const char *const kept[] = {
        "assert",   "collectgarbage", "coroutine", "error",  "gcinfo",   "ipairs",
        "math",     "rawequal",       "select",    "string", "table",    "tonumber",
        "tostring", "type",           "unpack",    "xpcall", "_VERSION", NULL,
    };
    static const lua_entry own[] = {
        {"getmetatable", safe_getmetatable},
        {"loadstring", safe_loadstring},
        {"next", safe_next},
        {"pairs", safe_pairs},
        {"pcall", safe_pcall},
        {"rawget", safe_rawget},
        {"rawset", safe_rawset},
        {"setmetatable", safe_setmetatable},
        {NULL, NULL},
    };
    static const lua_entry numbers[] = {
        {"random", math_random}, {"randomseed", math_randomseed}, {NULL, NULL}};
    push_key(L, &fronts_key);
    lua.lua_createtable(L, 0, 0);
    lua.lua_rawset(L, LUA_REGISTRYINDEX);
    open_library(L, lua.luaopen_base, "");
    open_library(L, lua.luaopen_math, "math");
    open_library(L, lua.luaopen_os, "os");
    open_library(L, lua.luaopen_string, "string");
    open_library(L, lua.luaopen_table, "table");
    lua.lua_createtable(L, 0, 64);
    take(L, kept);
    lua_add_functions(L, own);
    lua.lua_getfield(L, -1, "table");
    lua.lua_pushcclosure(L, safe_load, 1);
    lua.lua_setfield(L, -2, "load");
    lua.lua_getfield(L, -1, "math");
    lua_add_functions(L, numbers);
    lua_pop(L, 1);
    lua.lua_createtable(L, 0, 1);
    lua.lua_getfield(L, LUA_GLOBALSINDEX, "os");
    lua.lua_getfield(L, -1, "clock");
    lua.lua_setfield(L, -3, "clock");
    lua_pop(L, 1);
    lua.lua_setfield(L, -2, "os");
    protect_field(L, "coroutine");
    protect_field(L, "math");
    protect_field(L, "os");
    protect_field(L, "string");
    protect_field(L, "table");
    protect_strings(L);
}
