/* The library `cjson`: its settings, with the names, limits and messages of lua-cjson 2.1. */
#include <limits.h>
#include <stdio.h>

#include "cjson.h"

static const cjson_settings INITIAL = {
    .sparse_ratio = 2,
    .sparse_safe = 10,
    .encode_depth = 1000,
    .decode_depth = 1000,
    .precision = 14,
    .keep_buffer = 1,
    .encode_invalid = INVALID_OFF,
    .decode_invalid = INVALID_ON,
};

static const char *const OFF_ON[] = {"off", "on", NULL};
static const char *const OFF_ON_NULL[] = {"off", "on", "null", NULL};

static cjson_settings *settings_for(lua_State *L, int arguments) {
    if (lua.lua_gettop(L) > arguments) {
        lua.luaL_argerror(L, arguments + 1, "found too many arguments");
    }
    lua.lua_settop(L, arguments);
    return cjson_own(L);
}

static void integer_option(lua_State *L, int index, int *setting, int least, int most) {
    if (lua.lua_type(L, index) != LUA_TNIL) {
        lua_Integer value = lua.luaL_checkinteger(L, index);
        if (value < least || value > most) {
            lua.luaL_argerror(
                L, index,
                lua.lua_pushfstring(L, "expected integer between %d and %d", least, most));
        }
        *setting = (int)value;
    }
    lua.lua_pushnumber(L, *setting);
}

static void choice_option(lua_State *L, int index, int *setting, const char *const *options) {
    int type = lua.lua_type(L, index);
    if (type == LUA_TBOOLEAN) {
        *setting = lua.lua_toboolean(L, index);
    } else if (type != LUA_TNIL) {
        *setting = lua.luaL_checkoption(L, index, NULL, options);
    }
    if (*setting <= 1) {
        lua.lua_pushboolean(L, *setting);
    } else {
        lua.lua_pushstring(L, options[*setting]);
    }
}

static int sparse_array(lua_State *L) {
    cjson_settings *own = settings_for(L, 3);
    choice_option(L, 1, &own->sparse_convert, OFF_ON);
    integer_option(L, 2, &own->sparse_ratio, 0, INT_MAX);
    integer_option(L, 3, &own->sparse_safe, 0, INT_MAX);
    return 3;
}

static int encode_depth(lua_State *L) {
    integer_option(L, 1, &settings_for(L, 1)->encode_depth, 1, INT_MAX);
    return 1;
}

static int decode_depth(lua_State *L) {
    integer_option(L, 1, &settings_for(L, 1)->decode_depth, 1, INT_MAX);
    return 1;
}

static int number_precision(lua_State *L) {
    integer_option(L, 1, &settings_for(L, 1)->precision, 1, 14);
    return 1;
}

static int keep_buffer(lua_State *L) {
    choice_option(L, 1, &settings_for(L, 1)->keep_buffer, OFF_ON);
    return 1;
}

static int encode_invalid(lua_State *L) {
    choice_option(L, 1, &settings_for(L, 1)->encode_invalid, OFF_ON_NULL);
    return 1;
}

static int decode_invalid(lua_State *L) {
    choice_option(L, 1, &settings_for(L, 1)->decode_invalid, OFF_ON);
    return 1;
}

int lua_open_cjson(lua_State *L) {
    static const lua_entry functions[] = {
        {"encode", cjson_encode},
        {"decode", cjson_decode},
        {"encode_sparse_array", sparse_array},
        {"encode_max_depth", encode_depth},
        {"decode_max_depth", decode_depth},
        {"encode_number_precision", number_precision},
        {"encode_keep_buffer", keep_buffer},
        {"encode_invalid_numbers", encode_invalid},
        {"decode_invalid_numbers", decode_invalid},
        {NULL, NULL},
    };
    lua.lua_createtable(L, 0, 16);
    *(cjson_settings *)lua.lua_newuserdata(L, sizeof(cjson_settings)) = INITIAL;
    for (const lua_entry *entry = functions; entry->name; entry++) {
        lua.lua_pushvalue(L, -1);
        lua.lua_pushcclosure(L, entry->function, 1);
        lua.lua_setfield(L, -3, entry->name);
    }
    lua_pop(L, 1);
    /* A library of its own settings. */
    lua_pushcfunction(L, lua_open_cjson);
    lua.lua_setfield(L, -2, "new");
    lua.lua_pushlightuserdata(L, NULL);
    lua.lua_setfield(L, -2, "null");
    lua.lua_pushstring(L, "cjson");
    lua.lua_setfield(L, -2, "_NAME");
    lua.lua_pushstring(L, "2.1.0");
    lua.lua_setfield(L, -2, "_VERSION");
    return 1;
}
