/* The library `bit`: operations on 32-bit words, as LuaJIT's BitOp defines them. */
#include <math.h>
#include <string.h>

#include "api.h"

/* A number modulo 2^32, halves to even: adding 1.5 * 2^52 leaves its low bits in the mantissa. */
static uint32_t word_at(lua_State *L, int index) {
    double number = lua.luaL_checknumber(L, index) + 6755399441055744.0;
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return (uint32_t)bits;
}

static int push_word(lua_State *L, uint32_t word) {
    lua.lua_pushnumber(L, (double)(int32_t)word);
    return 1;
}

static int bit_tobit(lua_State *L) {
    return push_word(L, word_at(L, 1));
}
static int bit_bnot(lua_State *L) {
    return push_word(L, ~word_at(L, 1));
}

static int bit_band(lua_State *L) {
    uint32_t word = word_at(L, 1);
    for (int i = lua.lua_gettop(L); i > 1; i--)
        word &= word_at(L, i);
    return push_word(L, word);
}

static int bit_bor(lua_State *L) {
    uint32_t word = word_at(L, 1);
    for (int i = lua.lua_gettop(L); i > 1; i--)
        word |= word_at(L, i);
    return push_word(L, word);
}

static int bit_bxor(lua_State *L) {
    uint32_t word = word_at(L, 1);
    for (int i = lua.lua_gettop(L); i > 1; i--)
        word ^= word_at(L, i);
    return push_word(L, word);
}

static int bit_lshift(lua_State *L) {
    uint32_t word = word_at(L, 1);
    return push_word(L, word << (word_at(L, 2) & 31));
}

static int bit_rshift(lua_State *L) {
    uint32_t word = word_at(L, 1);
    return push_word(L, word >> (word_at(L, 2) & 31));
}

static int bit_arshift(lua_State *L) {
    uint32_t word = word_at(L, 1);
    return push_word(L, (uint32_t)((int32_t)word >> (word_at(L, 2) & 31)));
}

static uint32_t rotated(uint32_t word, uint32_t left) {
    left &= 31;
    return left ? word << left | word >> (32 - left) : word;
}

static int bit_rol(lua_State *L) {
    uint32_t word = word_at(L, 1);
    return push_word(L, rotated(word, word_at(L, 2)));
}

static int bit_ror(lua_State *L) {
    uint32_t word = word_at(L, 1);
    return push_word(L, rotated(word, 32 - (word_at(L, 2) & 31)));
}

static int bit_bswap(lua_State *L) {
    return push_word(L, __builtin_bswap32(word_at(L, 1)));
}

/* tohex(word [, digits]): negative digits are upper case. */
static int bit_tohex(lua_State *L) {
    uint32_t word = word_at(L, 1);
    int32_t digits = lua.lua_type(L, 2) == LUA_TNONE ? 8 : (int32_t)word_at(L, 2);
    const char *alphabet = digits < 0 ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[8];
    if (digits < 0) digits = digits == INT32_MIN ? 8 : -digits;
    if (digits > 8) digits = 8;
    for (int i = digits; i-- > 0; word >>= 4)
        text[i] = alphabet[word & 15];
    lua.lua_pushlstring(L, text, (size_t)digits);
    return 1;
}

void lua_open_bit(lua_State *L) {
    static const lua_entry functions[] = {
        {"tobit", bit_tobit},   {"bnot", bit_bnot},       {"band", bit_band},
        {"bor", bit_bor},       {"bxor", bit_bxor},       {"lshift", bit_lshift},
        {"rshift", bit_rshift}, {"arshift", bit_arshift}, {"rol", bit_rol},
        {"ror", bit_ror},       {"bswap", bit_bswap},     {"tohex", bit_tohex},
        {NULL, NULL},
    };
    lua.lua_createtable(L, 0, 12);
    lua_add_functions(L, functions);
}
