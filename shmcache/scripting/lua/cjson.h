/* What writing and reading JSON share: the settings that scripts may change. */
#ifndef SHMCACHE_LUA_CJSON_H
#define SHMCACHE_LUA_CJSON_H

#include "api.h"

enum { INVALID_OFF = 0, INVALID_ON = 1, INVALID_NULL = 2 };

typedef struct cjson_settings {
    int sparse_convert, sparse_ratio, sparse_safe;
    int encode_depth, decode_depth;
    int precision;
    int keep_buffer;
    int encode_invalid, decode_invalid; /* numbers that JSON does not have */
} cjson_settings;

/* The settings of the library whose function is running: its first upvalue. */
static inline cjson_settings *cjson_own(lua_State *L) {
    return lua.lua_touserdata(L, lua_upvalueindex(1));
}

int cjson_encode(lua_State *L);
int cjson_decode(lua_State *L);

#endif
