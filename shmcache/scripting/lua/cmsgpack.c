/* The library `cmsgpack`: MessagePack in the smallest form, as lua-cmsgpack 0.4 writes and reads
 * it.
 *
 * A number without a fraction is an integer; a float is four bytes when that is exact. A table with
 * the keys 1 to n and no other is an array. What is nested deeper than 16 levels becomes nil, and
 * so does what MessagePack has no type for. Read are the types of the first specification and
 * str 8. */
#include <math.h>
#include <string.h>

#include "api.h"

enum { MOST_NESTING = 16 };

static scratch packed;

static void put_big_endian(lua_State *L, uint8_t mark, uint64_t value, int bytes) {
    scratch_byte(L, &packed, mark);
    while (bytes-- > 0)
        scratch_byte(L, &packed, (uint8_t)(value >> (8 * bytes)));
}

static void put_unsigned(lua_State *L, uint64_t value) {
    if (value <= 127) {
        scratch_byte(L, &packed, (uint8_t)value);
    } else if (value <= 0xFF) {
        put_big_endian(L, 0xCC, value, 1);
    } else if (value <= 0xFFFF) {
        put_big_endian(L, 0xCD, value, 2);
    } else if (value <= 0xFFFFFFFF) {
        put_big_endian(L, 0xCE, value, 4);
    } else {
        put_big_endian(L, 0xCF, value, 8);
    }
}

static void put_signed(lua_State *L, int64_t value) {
    if (value >= -32) {
        scratch_byte(L, &packed, (uint8_t)value);
    } else if (value >= -128) {
        put_big_endian(L, 0xD0, (uint64_t)value, 1);
    } else if (value >= -32768) {
        put_big_endian(L, 0xD1, (uint64_t)value, 2);
    } else if (value >= INT32_MIN) {
        put_big_endian(L, 0xD2, (uint64_t)value, 4);
    } else {
        put_big_endian(L, 0xD3, (uint64_t)value, 8);
    }
}

static void put_number(lua_State *L, double number) {
    if (number >= -0x1p63 && number < 0x1p63 && floor(number) == number) {
        if (number >= 0) {
            put_unsigned(L, (uint64_t)number);
        } else {
            put_signed(L, (int64_t)number);
        }
        return;
    }
    float shorter = (float)number;
    if ((double)shorter == number) {
        uint32_t bits;
        memcpy(&bits, &shorter, sizeof bits);
        put_big_endian(L, 0xCA, bits, 4);
    } else {
        uint64_t bits;
        memcpy(&bits, &number, sizeof bits);
        put_big_endian(L, 0xCB, bits, 8);
    }
}

static void put_string(lua_State *L, int index) {
    size_t length;
    const char *bytes = lua.lua_tolstring(L, index, &length);
    if (length < 32) {
        scratch_byte(L, &packed, (uint8_t)(0xA0 | length));
    } else if (length <= 0xFF) {
        put_big_endian(L, 0xD9, length, 1);
    } else if (length <= 0xFFFF) {
        put_big_endian(L, 0xDA, length, 2);
    } else {
        put_big_endian(L, 0xDB, length, 4);
    }
    scratch_add(L, &packed, bytes, length);
}

static void put_count(lua_State *L, size_t count, uint8_t shortest, uint8_t longer) {
    if (count <= 15) {
        scratch_byte(L, &packed, (uint8_t)(shortest | count));
    } else if (count <= 0xFFFF) {
        put_big_endian(L, longer, count, 2);
    } else {
        put_big_endian(L, (uint8_t)(longer + 1), count, 4);
    }
}

static void put_value(lua_State *L, int level);

/* How many entries the table on top has; whether they are its places 1 to that number. */
static size_t count_entries(lua_State *L, bool *is_array) {
    size_t count = 0;
    double most = 0;
    *is_array = true;
    lua.lua_pushnil(L);
    while (lua.lua_next(L, -2)) {
        lua_pop(L, 1);
        double key = lua.lua_type(L, -1) == LUA_TNUMBER ? lua.lua_tonumber(L, -1) : 0;
        if (key <= 0 || floor(key) != key) *is_array = false;
        if (key > most) most = key;
        count++;
    }
    if (most != (double)count) *is_array = false;
    return count;
}

static void put_table(lua_State *L, int level) {
    bool is_array;
    size_t count = count_entries(L, &is_array);
    put_count(L, count, is_array ? 0x90 : 0x80, is_array ? 0xDC : 0xDE);
    if (is_array) {
        for (size_t i = 1; i <= count; i++) {
            lua.lua_rawgeti(L, -1, (int)i);
            put_value(L, level + 1);
        }
        return;
    }
    lua.lua_pushnil(L);
    while (lua.lua_next(L, -2)) {
        lua.lua_pushvalue(L, -2);
        put_value(L, level + 1);
        put_value(L, level + 1);
    }
}

/* The value on top, which goes. */
static void put_value(lua_State *L, int level) {
    lua.luaL_checkstack(L, 4, "in function mp_encode_lua_type");
    int type = lua.lua_type(L, -1);
    if (type == LUA_TTABLE && level == MOST_NESTING) type = LUA_TNIL;
    switch (type) {
    case LUA_TSTRING:
        put_string(L, -1);
        break;
    case LUA_TBOOLEAN:
        scratch_byte(L, &packed, lua.lua_toboolean(L, -1) ? 0xC3 : 0xC2);
        break;
    case LUA_TNUMBER:
        put_number(L, lua.lua_tonumber(L, -1));
        break;
    case LUA_TTABLE:
        put_table(L, level);
        break;
    default:
        scratch_byte(L, &packed, 0xC0);
        break;
    }
    lua_pop(L, 1);
}

static int msgpack_pack(lua_State *L) {
    int arguments = lua.lua_gettop(L);
    if (arguments == 0) lua.luaL_argerror(L, 0, "MessagePack pack needs input.");
    lua.luaL_checkstack(L, 2, "Too many arguments for MessagePack pack.");
    scratch_clear(&packed);
    for (int i = 1; i <= arguments; i++) {
        lua.lua_pushvalue(L, i);
        put_value(L, 0);
    }
    lua.lua_pushlstring(L, packed.bytes, packed.length);
    return 1;
}

typedef struct reader {
    const uint8_t *at;
    size_t rest;
} reader;

static uint64_t take_big_endian(lua_State *L, reader *in, size_t bytes) {
    if (in->rest < bytes) lua.luaL_error(L, "Missing bytes in input.");
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | in->at[i];
    in->at += bytes;
    in->rest -= bytes;
    return value;
}

static void push_string(lua_State *L, reader *in, uint64_t length) {
    if (in->rest < length) lua.luaL_error(L, "Missing bytes in input.");
    lua.lua_pushlstring(L, (const char *)in->at, length);
    in->at += length;
    in->rest -= length;
}

static void push_value(lua_State *L, reader *in);

static void push_array(lua_State *L, reader *in, uint64_t count) {
    lua.luaL_checkstack(L, 2, "in function mp_decode_to_lua_array");
    lua.lua_createtable(L, 0, 0);
    for (uint64_t i = 1; i <= count; i++) {
        push_value(L, in);
        lua.lua_rawseti(L, -2, (int)i);
    }
}

static void push_map(lua_State *L, reader *in, uint64_t count) {
    lua.luaL_checkstack(L, 3, "in function mp_decode_to_lua_hash");
    lua.lua_createtable(L, 0, 0);
    for (uint64_t i = 0; i < count; i++) {
        push_value(L, in);
        push_value(L, in);
        if (lua.lua_type(L, -2) == LUA_TNIL) lua.luaL_error(L, "table index is nil");
        if (!lua.lua_rawequal(L, -2, -2)) lua.luaL_error(L, "table index is NaN");
        lua.lua_rawset(L, -3);
    }
}

static void push_float(lua_State *L, reader *in, size_t bytes) {
    uint64_t bits = take_big_endian(L, in, bytes);
    double number;
    if (bytes == 4) {
        uint32_t half = (uint32_t)bits;
        float shorter;
        memcpy(&shorter, &half, sizeof half);
        number = (double)shorter;
    } else {
        memcpy(&number, &bits, sizeof bits);
    }
    lua.lua_pushnumber(L, number);
}

static void push_signed(lua_State *L, reader *in, int bytes) {
    uint64_t bits = take_big_endian(L, in, (size_t)bytes) << (64 - 8 * bytes);
    lua.lua_pushnumber(L, (double)((int64_t)bits >> (64 - 8 * bytes)));
}

/* A value whose first byte says all of its size. */
static bool push_short(lua_State *L, reader *in, uint8_t mark) {
    if (mark <= 0x7F || mark >= 0xE0) {
        lua.lua_pushnumber(L, (double)(int8_t)mark);
    } else if (mark <= 0x8F) {
        push_map(L, in, mark & 0x0F);
    } else if (mark <= 0x9F) {
        push_array(L, in, mark & 0x0F);
    } else if (mark <= 0xBF) {
        push_string(L, in, mark & 0x1F);
    } else {
        return false;
    }
    return true;
}

static void push_value(lua_State *L, reader *in) {
    lua.luaL_checkstack(L, 1,
                        "too many return values at once; use unpack_one or unpack_limit "
                        "instead.");
    uint8_t mark = (uint8_t)take_big_endian(L, in, 1);
    if (push_short(L, in, mark)) return;
    switch (mark) {
    case 0xC0:
        lua.lua_pushnil(L);
        return;
    case 0xC2:
    case 0xC3:
        lua.lua_pushboolean(L, mark & 1);
        return;
    case 0xCA:
        push_float(L, in, 4);
        return;
    case 0xCB:
        push_float(L, in, 8);
        return;
    case 0xCC:
    case 0xCD:
    case 0xCE:
        lua.lua_pushnumber(L, (double)take_big_endian(L, in, (size_t)1 << (mark - 0xCC)));
        return;
    case 0xCF: /* beyond 2^63 a negative number comes out, as there */
        lua.lua_pushnumber(L, (double)(int64_t)take_big_endian(L, in, 8));
        return;
    case 0xD0:
    case 0xD1:
    case 0xD2:
    case 0xD3:
        push_signed(L, in, 1 << (mark - 0xD0));
        return;
    case 0xD9:
    case 0xDA:
    case 0xDB:
        push_string(L, in, take_big_endian(L, in, (size_t)1 << (mark - 0xD9)));
        return;
    case 0xDC:
    case 0xDD:
        push_array(L, in, take_big_endian(L, in, mark == 0xDC ? 2 : 4));
        return;
    case 0xDE:
    case 0xDF:
        push_map(L, in, take_big_endian(L, in, mark == 0xDE ? 2 : 4));
        return;
    default:
        lua.luaL_error(L, "Bad data format in input.");
    }
}

/* At most `limit` values (0: all) from `offset` on. With a limit the first result is where to go
 * on, -1 at the end. */
static int unpack(lua_State *L, lua_Integer limit, lua_Integer offset) {
    size_t length;
    const char *bytes = lua.luaL_checklstring(L, 1, &length);
    if (offset < 0 || limit < 0) {
        lua.luaL_error(L, "Invalid request to unpack with offset of %d and limit of %d.",
                       (int)offset, (int)length);
    }
    if ((size_t)offset > length) {
        lua.luaL_error(L, "Start offset %d greater than input length %d.", (int)offset,
                       (int)length);
    }
    reader in = {.at = (const uint8_t *)bytes + offset, .rest = length - (size_t)offset};
    int count = 0;
    for (; in.rest > 0 && (limit == 0 || count < limit); count++)
        push_value(L, &in);
    if (limit > 0) {
        lua.luaL_checkstack(L, 1, "in function mp_unpack_full");
        lua.lua_pushnumber(L, in.rest == 0 ? -1 : (double)((const char *)in.at - bytes));
        lua.lua_insert(L, -(count + 1));
        count++;
    }
    return count;
}

static int msgpack_unpack(lua_State *L) {
    return unpack(L, 0, 0);
}

static int msgpack_unpack_one(lua_State *L) {
    lua_Integer offset = lua.luaL_optinteger(L, 2, 0);
    lua.lua_settop(L, 1);
    return unpack(L, 1, offset);
}

static int msgpack_unpack_limit(lua_State *L) {
    lua_Integer limit = lua.luaL_checkinteger(L, 2);
    lua_Integer offset = lua.luaL_optinteger(L, 3, 0);
    lua.lua_settop(L, 1);
    return unpack(L, limit, offset);
}

void lua_open_cmsgpack(lua_State *L) {
    static const lua_entry functions[] = {
        {"pack", msgpack_pack},
        {"unpack", msgpack_unpack},
        {"unpack_one", msgpack_unpack_one},
        {"unpack_limit", msgpack_unpack_limit},
        {NULL, NULL},
    };
    static const char *const facts[][2] = {
        {"_NAME", "cmsgpack"},
        {"_VERSION", "lua-cmsgpack 0.4.0"},
        {"_DESCRIPTION", "MessagePack C implementation for Lua"},
        {"_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo"},
    };
    lua.lua_createtable(L, 0, 8);
    lua_add_functions(L, functions);
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        lua.lua_pushstring(L, facts[i][1]);
        lua.lua_setfield(L, -2, facts[i][0]);
    }
}
