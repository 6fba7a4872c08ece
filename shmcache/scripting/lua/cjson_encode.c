/* cjson.encode: what it makes of a table is lua-cjson's rule. A table whose keys are all positive
 * integers is an array, with null in its gaps; one with many gaps is refused, or becomes an object
 * if encode_sparse_array says so; an empty one is an object. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cjson.h"

static scratch text;

static void put(lua_State *L, const char *word) {
    scratch_add(L, &text, word, strlen(word));
}

static void refuse(lua_State *L, int index, const char *reason) {
    lua.luaL_error(L, "Cannot serialise %s: %s", lua.lua_typename(L, lua.lua_type(L, index)),
                   reason);
}

static void put_string(lua_State *L, int index) {
    static const char hex[] = "0123456789abcdef";
    size_t length;
    const char *bytes = lua.lua_tolstring(L, index, &length);
    char *to = scratch_reserve(L, &text, length * 6 + 2), *start = to;
    *to++ = '"';
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];
        const char *special = c ? strchr("\"\"\\\\//\bb\tt\nn\ff\rr", c) : NULL;
        if (special && (c < ' ' || c == '"' || c == '\\' || c == '/')) {
            *to++ = '\\';
            *to++ = special[1];
        } else if (c < ' ' || c == 127) {
            memcpy(to, "\\u00", 4);
            to[4] = hex[c >> 4];
            to[5] = hex[c & 15];
            to += 6;
        } else {
            *to++ = (char)c;
        }
    }
    *to++ = '"';
    text.length += (size_t)(to - start);
}

static void put_number(lua_State *L, const cjson_settings *own, int index) {
    double number = lua.lua_tonumber(L, index);
    if (!isfinite(number) && own->encode_invalid == INVALID_OFF) {
        refuse(L, index, "must not be NaN or Inf");
    }
    if (!isfinite(number) && own->encode_invalid == INVALID_NULL) {
        put(L, "null");
    } else if (isnan(number)) {
        put(L, "nan"); /* without its sign, which printf shows */
    } else {
        char digits[40];
        snprintf(digits, sizeof digits, "%.*g", own->precision, number);
        put(L, digits);
    }
}

/* The length of the table on top as an array; -1 if it is none. */
static double array_length(lua_State *L, const cjson_settings *own) {
    double most = 0;
    double items = 0;
    lua.lua_pushnil(L);
    while (lua.lua_next(L, -2)) {
        double key = lua.lua_type(L, -2) == LUA_TNUMBER ? lua.lua_tonumber(L, -2) : 0;
        if (key < 1 || floor(key) != key) {
            lua_pop(L, 2);
            return -1;
        }
        if (key > most) most = key;
        items++;
        lua_pop(L, 1);
    }
    if (own->sparse_ratio > 0 && most > items * own->sparse_ratio && most > own->sparse_safe) {
        if (!own->sparse_convert) refuse(L, -1, "excessively sparse array");
        return -1;
    }
    return most;
}

static void put_value(lua_State *L, const cjson_settings *own, int depth);

static void put_array(lua_State *L, const cjson_settings *own, int depth, double length) {
    scratch_byte(L, &text, '[');
    for (int i = 1; i <= length; i++) {
        if (i > 1) scratch_byte(L, &text, ',');
        lua.lua_rawgeti(L, -1, i);
        put_value(L, own, depth);
        lua_pop(L, 1);
    }
    scratch_byte(L, &text, ']');
}

static void put_key(lua_State *L, const cjson_settings *own) {
    int type = lua.lua_type(L, -2);
    if (type == LUA_TNUMBER) {
        scratch_byte(L, &text, '"');
        put_number(L, own, -2);
        scratch_byte(L, &text, '"');
    } else if (type == LUA_TSTRING) {
        put_string(L, -2);
    } else {
        refuse(L, -2, "table key must be a number or string");
    }
    scratch_byte(L, &text, ':');
}

static void put_object(lua_State *L, const cjson_settings *own, int depth) {
    bool first = true;
    scratch_byte(L, &text, '{');
    lua.lua_pushnil(L);
    while (lua.lua_next(L, -2)) {
        if (!first) scratch_byte(L, &text, ',');
        first = false;
        put_key(L, own);
        put_value(L, own, depth);
        lua_pop(L, 1);
    }
    scratch_byte(L, &text, '}');
}

static void put_table(lua_State *L, const cjson_settings *own, int depth) {
    if (depth > own->encode_depth || !lua.lua_checkstack(L, 3)) {
        lua.luaL_error(L, "Cannot serialise, excessive nesting (%d)", depth);
    }
    double length = array_length(L, own);
    if (length > 0) {
        put_array(L, own, depth, length);
    } else {
        put_object(L, own, depth);
    }
}

/* The value on top. */
static void put_value(lua_State *L, const cjson_settings *own, int depth) {
    switch (lua.lua_type(L, -1)) {
    case LUA_TSTRING:
        put_string(L, -1);
        return;
    case LUA_TNUMBER:
        put_number(L, own, -1);
        return;
    case LUA_TBOOLEAN:
        put(L, lua.lua_toboolean(L, -1) ? "true" : "false");
        return;
    case LUA_TTABLE:
        put_table(L, own, depth + 1);
        return;
    case LUA_TNIL:
        put(L, "null");
        return;
    case LUA_TLIGHTUSERDATA:
        if (!lua.lua_touserdata(L, -1)) {
            put(L, "null");
            return;
        }
        break;
    default:
        break;
    }
    refuse(L, -1, "type not supported");
}

int cjson_encode(lua_State *L) {
    const cjson_settings *own = cjson_own(L);
    if (lua.lua_gettop(L) != 1) lua.luaL_argerror(L, 1, "expected 1 argument");
    scratch_clear(&text);
    put_value(L, own, 0);
    lua.lua_pushlstring(L, text.bytes, text.length);
    return 1;
}
