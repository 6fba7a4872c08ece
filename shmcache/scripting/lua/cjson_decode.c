/* cjson.decode: a recursive descent over tokens. What it accepts beyond JSON (hexadecimal numbers,
 * leading zeros, inf and nan, unless decode_invalid_numbers is off) and the errors it names are
 * lua-cjson's. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cjson.h"

enum token_kind {
    T_OBJ_BEGIN,
    T_OBJ_END,
    T_ARR_BEGIN,
    T_ARR_END,
    T_STRING,
    T_NUMBER,
    T_BOOLEAN,
    T_NULL,
    T_COLON,
    T_COMMA,
    T_END,
    T_ERROR,
};

static const char *const TOKEN_NAMES[] = {
    "T_OBJ_BEGIN", "T_OBJ_END", "T_ARR_BEGIN", "T_ARR_END", "T_STRING", "T_NUMBER",
    "T_BOOLEAN",   "T_NULL",    "T_COLON",     "T_COMMA",   "T_END",
};

typedef struct token {
    enum token_kind kind;
    size_t index; /* of its first byte, or of what is wrong */
    const char *wrong;
    double number;
    bool truth;
} token;

typedef struct reader {
    const char *data, *at; /* ends with a NUL, as all of Lua's strings do */
    const cjson_settings *own;
    int depth;
} reader;

static scratch unescaped; /* the string token that was read last */

static void wrong(reader *in, token *found, const char *what) {
    found->kind = T_ERROR;
    found->index = (size_t)(in->at - in->data);
    found->wrong = what;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int four_digits(const char *at) {
    int value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0) return -1;
        value = value << 4 | digit;
    }
    return value;
}

static void put_code_point(lua_State *L, uint32_t point) {
    if (point < 0x80) {
        scratch_byte(L, &unescaped, (uint8_t)point);
        return;
    }
    int rest = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = {0, 0xC0, 0xE0, 0xF0};
    scratch_byte(L, &unescaped, (uint8_t)(lead[rest] | point >> (6 * rest)));
    while (rest-- > 0)
        scratch_byte(L, &unescaped, (uint8_t)(0x80 | (point >> (6 * rest) & 0x3F)));
}

/* \uXXXX, or two of them for a code point beyond the first plane. */
static bool read_code_point(lua_State *L, reader *in) {
    int high = four_digits(in->at + 2);
    if (high < 0) return false;
    uint32_t point = (uint32_t)high;
    int taken = 6;
    if ((high & 0xF800) == 0xD800) {
        if (high & 0x400 || in->at[6] != '\\' || in->at[7] != 'u') return false;
        int low = four_digits(in->at + 8);
        if (low < 0 || (low & 0xFC00) != 0xDC00) return false;
        point = (((uint32_t)high & 0x3FF) << 10 | ((uint32_t)low & 0x3FF)) + 0x10000;
        taken = 12;
    }
    put_code_point(L, point);
    in->at += taken;
    return true;
}

static void read_string(lua_State *L, reader *in, token *found) {
    static const char escapes[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
    scratch_clear(&unescaped);
    in->at++;
    while (*in->at != '"') {
        if (!*in->at) {
            wrong(in, found, "unexpected end of string");
            return;
        }
        if (*in->at != '\\') {
            size_t plain = strcspn(in->at, "\"\\");
            scratch_add(L, &unescaped, in->at, plain);
            in->at += plain;
        } else if (in->at[1] == 'u') {
            if (!read_code_point(L, in)) {
                wrong(in, found, "invalid unicode escape code");
                return;
            }
        } else {
            const char *pair = escapes;
            while (*pair && *pair != in->at[1])
                pair += 2;
            if (!*pair) {
                wrong(in, found, "invalid escape code");
                return;
            }
            scratch_byte(L, &unescaped, (uint8_t)pair[1]);
            in->at += 2;
        }
    }
    in->at++;
    found->kind = T_STRING;
}

/* Whether what comes is a number that JSON does not have: hexadecimal, with leading zeros or a
 * plus, infinite, or none. */
static bool is_beyond_json(const char *at) {
    if (*at == '+') return true;
    if (*at == '-') at++;
    if (*at == '0') return (at[1] | 0x20) == 'x' || (at[1] >= '0' && at[1] <= '9');
    if (*at <= '9') return false;
    return strncasecmp(at, "inf", 3) == 0 || strncasecmp(at, "nan", 3) == 0;
}

static void read_number(reader *in, token *found) {
    char *end;
    found->number = strtod(in->at, &end);
    if (end == in->at) {
        wrong(in, found, "invalid number");
        return;
    }
    found->kind = T_NUMBER;
    in->at = end;
}

static bool read_word(reader *in, token *found, const char *word, enum token_kind kind) {
    size_t length = strlen(word);
    if (strncmp(in->at, word, length) != 0) return false;
    in->at += length;
    found->kind = kind;
    found->truth = *word == 't';
    return true;
}

static void next_token(lua_State *L, reader *in, token *found) {
    static const char signs[] = "{}[]";
    in->at += strspn(in->at, " \t\n\r");
    char c = *in->at;
    found->index = (size_t)(in->at - in->data);
    const char *sign = c ? strchr(signs, c) : NULL;
    if (!c) {
        found->kind = T_END;
    } else if (sign) {
        found->kind = (enum token_kind)(sign - signs);
        in->at++;
    } else if (c == ':' || c == ',') {
        found->kind = c == ':' ? T_COLON : T_COMMA;
        in->at++;
    } else if (c == '"') {
        read_string(L, in, found);
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        if (!in->own->decode_invalid && is_beyond_json(in->at)) {
            wrong(in, found, "invalid number");
        } else {
            read_number(in, found);
        }
    } else if (!read_word(in, found, "true", T_BOOLEAN) &&
               !read_word(in, found, "false", T_BOOLEAN) && !read_word(in, found, "null", T_NULL)) {
        if (in->own->decode_invalid && is_beyond_json(in->at)) {
            read_number(in, found);
        } else {
            wrong(in, found, "invalid token");
        }
    }
}

static void refuse(lua_State *L, const token *found, const char *expected) {
    lua.luaL_error(L, "Expected %s but found %s at character %d", expected,
                   found->kind == T_ERROR ? found->wrong : TOKEN_NAMES[found->kind],
                   (int)found->index + 1);
}

static void push_value(lua_State *L, reader *in, token *found);

static void descend(lua_State *L, reader *in, int slots) {
    in->depth++;
    if (in->depth <= in->own->decode_depth && lua.lua_checkstack(L, slots)) return;
    lua.luaL_error(L, "Found too many nested data structures (%d) at character %d", in->depth,
                   (int)(in->at - in->data));
}

static void push_object(lua_State *L, reader *in) {
    token found;
    descend(L, in, 3);
    lua.lua_createtable(L, 0, 0);
    next_token(L, in, &found);
    if (found.kind != T_OBJ_END) {
        for (;;) {
            if (found.kind != T_STRING) refuse(L, &found, "object key string");
            lua.lua_pushlstring(L, unescaped.bytes, unescaped.length);
            next_token(L, in, &found);
            if (found.kind != T_COLON) refuse(L, &found, "colon");
            next_token(L, in, &found);
            push_value(L, in, &found);
            lua.lua_rawset(L, -3);
            next_token(L, in, &found);
            if (found.kind == T_OBJ_END) break;
            if (found.kind != T_COMMA) refuse(L, &found, "comma or object end");
            next_token(L, in, &found);
        }
    }
    in->depth--;
}

static void push_array(lua_State *L, reader *in) {
    token found;
    descend(L, in, 2);
    lua.lua_createtable(L, 0, 0);
    next_token(L, in, &found);
    if (found.kind != T_ARR_END) {
        for (int i = 1;; i++) {
            push_value(L, in, &found);
            lua.lua_rawseti(L, -2, i);
            next_token(L, in, &found);
            if (found.kind == T_ARR_END) break;
            if (found.kind != T_COMMA) refuse(L, &found, "comma or array end");
            next_token(L, in, &found);
        }
    }
    in->depth--;
}

static void push_value(lua_State *L, reader *in, token *found) {
    switch (found->kind) {
    case T_STRING:
        lua.lua_pushlstring(L, unescaped.bytes, unescaped.length);
        return;
    case T_NUMBER:
        lua.lua_pushnumber(L, found->number);
        return;
    case T_BOOLEAN:
        lua.lua_pushboolean(L, found->truth);
        return;
    case T_OBJ_BEGIN:
        push_object(L, in);
        return;
    case T_ARR_BEGIN:
        push_array(L, in);
        return;
    case T_NULL:
        lua.lua_pushlightuserdata(L, NULL);
        return;
    default:
        refuse(L, found, "value");
    }
}

int cjson_decode(lua_State *L) {
    reader in = {.own = cjson_own(L)};
    token found;
    size_t length;
    if (lua.lua_gettop(L) != 1) lua.luaL_argerror(L, 1, "expected 1 argument");
    in.at = in.data = lua.luaL_checklstring(L, 1, &length);
    if (length >= 2 && (!in.data[0] || !in.data[1])) {
        lua.luaL_error(L, "JSON parser does not support UTF-16 or UTF-32");
    }
    next_token(L, &in, &found);
    push_value(L, &in, &found);
    next_token(L, &in, &found);
    if (found.kind != T_END) refuse(L, &found, "the end");
    return 1;
}
