/* What a script returns, in RESP: a number loses its fraction, a table is an array up to its first
 * nil, or with one field what RESP has more: err, ok, double, map, set, big_number,
 * verbatim_string. See https://redis.io/docs/latest/develop/interact/programmability/lua-api/. */
#include <stdio.h>
#include <string.h>

#include "script.h"

scratch script_reply;

enum { DOUBLE_BYTES = 40 };

static void put(lua_State *L, const char *text) {
    scratch_add(L, &script_reply, text, strlen(text));
}

static void put_head(lua_State *L, char mark, long long number) {
    char *to = scratch_reserve(L, &script_reply, 32);
    script_reply.length += (size_t)snprintf(to, 32, "%c%lld\r\n", mark, number);
}

static void put_bulk(lua_State *L, const char *bytes, size_t length) {
    put_head(L, '$', (long long)length);
    scratch_add(L, &script_reply, bytes, length);
    put(L, "\r\n");
}

static void put_null(lua_State *L, int resp) {
    put(L, resp == 3 ? "_\r\n" : "$-1\r\n");
}

/* One line: what would end it becomes a space. */
static void put_line(lua_State *L, char mark, int index) {
    size_t length;
    const char *bytes = lua.lua_tolstring(L, index, &length);
    char *to = scratch_reserve(L, &script_reply, length + 3);
    *to++ = mark;
    for (size_t i = 0; i < length; i++)
        *to++ = bytes[i] == '\r' || bytes[i] == '\n' ? ' ' : bytes[i];
    memcpy(to, "\r\n", 2);
    script_reply.length += length + 3;
}

static void put_boolean(lua_State *L, bool truth, int resp) {
    if (script_resp == 2) {
        if (truth) {
            put(L, ":1\r\n");
        } else {
            put_null(L, resp);
        }
    } else if (resp == 3) {
        put(L, truth ? "#t\r\n" : "#f\r\n");
    } else {
        put(L, truth ? ":1\r\n" : ":0\r\n");
    }
}

/* Push a field of the table on top if it is of this type. */
static bool push_field(lua_State *L, const char *name, int type) {
    lua.lua_pushstring(L, name);
    lua.lua_rawget(L, -2);
    if (lua.lua_type(L, -1) == type) return true;
    lua_pop(L, 1);
    return false;
}

static void put_value(lua_State *L, int resp);

static void put_double(lua_State *L, int resp) {
    char text[DOUBLE_BYTES];
    int length = script_host.double_text(lua.lua_tonumber(L, -1), text);
    if (resp == 3) {
        scratch_byte(L, &script_reply, ',');
        scratch_add(L, &script_reply, text, (size_t)length);
        put(L, "\r\n");
    } else {
        put_bulk(L, text, (size_t)length);
    }
}

/* How many entries the table on top has. */
static long long count_entries(lua_State *L) {
    long long count = 0;
    for (lua.lua_pushnil(L); lua.lua_next(L, -2); count++)
        lua_pop(L, 1);
    return count;
}

static void put_map(lua_State *L, int resp) {
    long long count = count_entries(L);
    put_head(L, resp == 3 ? '%' : '*', resp == 3 ? count : 2 * count);
    lua.lua_pushnil(L);
    while (lua.lua_next(L, -2)) {
        lua.lua_pushvalue(L, -2);
        put_value(L, resp);
        put_value(L, resp);
    }
}

static void put_set(lua_State *L, int resp) {
    put_head(L, resp == 3 ? '~' : '*', count_entries(L));
    lua.lua_pushnil(L);
    while (lua.lua_next(L, -2)) {
        lua_pop(L, 1);
        lua.lua_pushvalue(L, -1);
        put_value(L, resp);
    }
}

static void put_big_number(lua_State *L, int resp) {
    if (resp == 3) {
        put_line(L, '(', -1);
    } else {
        size_t length;
        const char *digits = lua.lua_tolstring(L, -1, &length);
        put_bulk(L, digits, length);
    }
}

/* The table on top is the value of verbatim_string; false: it is none. */
static bool put_verbatim(lua_State *L, int resp) {
    if (!push_field(L, "format", LUA_TSTRING)) return false;
    lua.lua_insert(L, -2);
    if (!push_field(L, "string", LUA_TSTRING)) {
        lua.lua_remove(L, -2);
        return false;
    }
    size_t length, format_length;
    const char *text = lua.lua_tolstring(L, -1, &length);
    const char *format = lua.lua_tolstring(L, -3, &format_length);
    if (resp == 2) {
        put_bulk(L, text, length);
    } else {
        char name[4] = "   ";
        memcpy(name, format, format_length < 3 ? format_length : 3);
        put_head(L, '=', (long long)length + 4);
        scratch_add(L, &script_reply, name, 3);
        scratch_byte(L, &script_reply, ':');
        scratch_add(L, &script_reply, text, length);
        put(L, "\r\n");
    }
    lua_pop(L, 1);
    lua.lua_remove(L, -2);
    return true;
}

static void put_array(lua_State *L, int resp) {
    int count = 0;
    for (;; count++) {
        lua.lua_rawgeti(L, -1, count + 1);
        bool ends = lua.lua_type(L, -1) == LUA_TNIL;
        lua_pop(L, 1);
        if (ends) break;
    }
    put_head(L, '*', count);
    for (int i = 1; i <= count; i++) {
        lua.lua_rawgeti(L, -1, i);
        put_value(L, resp);
    }
}

static void put_table(lua_State *L, int resp) {
    if (push_field(L, "err", LUA_TSTRING)) {
        put_line(L, '-', -1);
    } else if (push_field(L, "ok", LUA_TSTRING)) {
        put_line(L, '+', -1);
    } else if (push_field(L, "double", LUA_TNUMBER)) {
        put_double(L, resp);
    } else if (push_field(L, "map", LUA_TTABLE)) {
        put_map(L, resp);
    } else if (push_field(L, "set", LUA_TTABLE)) {
        put_set(L, resp);
    } else if (push_field(L, "big_number", LUA_TSTRING)) {
        put_big_number(L, resp);
    } else if (push_field(L, "verbatim_string", LUA_TTABLE)) {
        if (!put_verbatim(L, resp)) put(L, "*0\r\n");
    } else {
        put_array(L, resp);
        return;
    }
    lua_pop(L, 1);
}

/* The value on top, which goes. */
static void put_value(lua_State *L, int resp) {
    if (!lua.lua_checkstack(L, 5)) {
        put(L, "-ERR reached lua stack limit\r\n");
        lua_pop(L, 1);
        return;
    }
    switch (lua.lua_type(L, -1)) {
    case LUA_TSTRING: {
        size_t length;
        const char *bytes = lua.lua_tolstring(L, -1, &length);
        put_bulk(L, bytes, length);
        break;
    }
    case LUA_TBOOLEAN:
        put_boolean(L, lua.lua_toboolean(L, -1), resp);
        break;
    case LUA_TNUMBER: {
        double number = lua.lua_tonumber(L, -1);
        bool fits = number >= -0x1p63 && number < 0x1p63;
        put_head(L, ':', fits ? (long long)number : INT64_MIN);
        break;
    }
    case LUA_TTABLE:
        put_table(L, resp);
        break;
    default:
        put_null(L, resp);
    }
    lua_pop(L, 1);
}

bool script_encode(lua_State *L, int resp) {
    scratch_clear(&script_reply);
    put_value(L, resp);
    return script_reply.length && script_reply.bytes[0] == '-';
}

int script_encode_protected(lua_State *L) {
    int resp = (int)lua.lua_tonumber(L, 2);
    lua.lua_settop(L, 1);
    lua.lua_pushboolean(L, script_encode(L, resp));
    return 1;
}
