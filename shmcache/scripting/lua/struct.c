/* The library `struct`: binary data by format strings.
 *
 *   > < =native   byte order          ![n]  alignment        x  a byte of padding
 *   b B h H l L T i[n] I[n]           signed and unsigned integers
 *   f d           float, double       s     string up to its NUL       c[n]  n bytes; c0: see below
 *
 * The format is Roberto Ierusalimschy's struct 0.2, as Redis has it. */
#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "api.h"

enum { MOST_INTEGER_BYTES = 32, NATIVE_ALIGNMENT = 8 };

typedef struct layout {
    bool little;
    size_t alignment; /* 1: none */
} layout;

static const layout INITIAL = {.little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, .alignment = 1};

static scratch packed;

static size_t number_at(lua_State *L, const char **format, size_t otherwise) {
    if (!isdigit((unsigned char)**format)) return otherwise;
    size_t number = 0;
    do {
        size_t digit = (size_t)(*(*format)++ - '0');
        if (number > INT_MAX / 10 || number * 10 > INT_MAX - digit) {
            lua.luaL_error(L, "integral size overflow");
        }
        number = number * 10 + digit;
    } while (isdigit((unsigned char)**format));
    return number;
}

/* How many bytes an option stands for; what follows it in the format is consumed. */
static size_t option_bytes(lua_State *L, char option, const char **format) {
    switch (option) {
    case 'b':
    case 'B':
    case 'x':
        return 1;
    case 'h':
    case 'H':
        return sizeof(short);
    case 'l':
    case 'L':
        return sizeof(long);
    case 'T':
        return sizeof(size_t);
    case 'f':
        return sizeof(float);
    case 'd':
        return sizeof(double);
    case 'c':
        return number_at(L, format, 1);
    case 'i':
    case 'I': {
        size_t bytes = number_at(L, format, sizeof(int));
        if (bytes > MOST_INTEGER_BYTES) {
            lua.luaL_error(L, "integral size %d is larger than limit of %d", (int)bytes,
                           MOST_INTEGER_BYTES);
        }
        return bytes;
    }
    default:
        return 0; /* s, and what only controls */
    }
}

/* Padding in front of an option. */
static size_t padding(size_t bytes, const layout *how, char option, size_t position) {
    if (bytes == 0 || option == 'c') return 0;
    size_t alignment = bytes > how->alignment ? how->alignment : bytes;
    return alignment > 1 ? (alignment - (position & (alignment - 1))) & (alignment - 1) : 0;
}

/* An option that stands for no data. */
static void control(lua_State *L, char option, const char **format, layout *how) {
    switch (option) {
    case ' ':
        return;
    case '>':
        how->little = false;
        return;
    case '<':
        how->little = true;
        return;
    case '!': {
        size_t alignment = number_at(L, format, NATIVE_ALIGNMENT);
        if (alignment == 0 || (alignment & (alignment - 1))) {
            lua.luaL_error(L, "alignment %d is not a power of 2", (int)alignment);
        }
        how->alignment = alignment;
        return;
    }
    default:
        lua.luaL_argerror(L, 1, lua.lua_pushfstring(L, "invalid format option '%c'", option));
    }
}

/* A negative number that fits no long is taken modulo 2^64, as a larger positive one is. */
static uint64_t integer_of(double number) {
    if (number < 0) return number >= -0x1p63 ? (uint64_t)(int64_t)number : (uint64_t)1 << 63;
    return number < 0x1p64 ? (uint64_t)number : (number < 0x1p65 ? 0 : (uint64_t)0);
}

static void pack_integer(lua_State *L, int argument, bool little, size_t bytes) {
    uint64_t value = integer_of(lua.luaL_checknumber(L, argument));
    char *to = scratch_reserve(L, &packed, bytes);
    for (size_t i = 0; i < bytes; i++) {
        char byte = i < 8 ? (char)(value >> (8 * i)) : 0;
        to[little ? i : bytes - 1 - i] = byte;
    }
    packed.length += bytes;
}

static void in_order(char *bytes, size_t count, bool little) {
    if (little == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)) return;
    for (size_t i = 0; i < count / 2; i++) {
        char byte = bytes[i];
        bytes[i] = bytes[count - 1 - i];
        bytes[count - 1 - i] = byte;
    }
}

static void pack_text(lua_State *L, int argument, char option, size_t bytes) {
    size_t length;
    const char *text = lua.luaL_checklstring(L, argument, &length);
    if (bytes == 0) bytes = length;
    if (length < bytes) lua.luaL_argerror(L, argument + 1, "string too short");
    scratch_add(L, &packed, text, bytes);
    if (option == 's') scratch_byte(L, &packed, 0);
}

static void pack_one(lua_State *L, int argument, char option, size_t bytes, const layout *how) {
    double number;
    float shorter;
    char raw[sizeof number];
    switch (option) {
    case 's':
    case 'c':
        pack_text(L, argument, option, bytes);
        return;
    case 'f':
        shorter = (float)lua.luaL_checknumber(L, argument);
        memcpy(raw, &shorter, bytes);
        break;
    case 'd':
        number = lua.luaL_checknumber(L, argument);
        memcpy(raw, &number, bytes);
        break;
    default:
        pack_integer(L, argument, how->little, bytes);
        return;
    }
    in_order(raw, bytes, how->little);
    scratch_add(L, &packed, raw, bytes);
}

static bool is_data(char option) {
    return strchr("bBhHlLTiIfdsc", option) != NULL;
}

static int struct_pack(lua_State *L) {
    const char *format = lua.luaL_checklstring(L, 1, NULL);
    layout how = INITIAL;
    int argument = 2;
    /* An argument that is missing is nil, and said to be one. */
    lua.lua_pushnil(L);
    scratch_clear(&packed);
    while (*format) {
        char option = *format++;
        size_t bytes = option_bytes(L, option, &format);
        for (size_t pad = padding(bytes, &how, option, packed.length); pad; pad--)
            scratch_byte(L, &packed, 0);
        if (option == 'x') {
            scratch_byte(L, &packed, 0);
        } else if (is_data(option)) {
            pack_one(L, argument++, option, bytes, &how);
        } else {
            control(L, option, &format, &how);
        }
    }
    lua.lua_pushlstring(L, packed.bytes, packed.length);
    return 1;
}

static double unpacked_integer(const char *bytes, size_t count, bool little, bool is_signed) {
    uint64_t value = 0;
    size_t used = count > 8 ? 8 : count;
    for (size_t i = used; i-- > 0;)
        value = value << 8 | (uint8_t)bytes[little ? i : count - 1 - i];
    if (!is_signed) return (double)value;
    if (used < 8 && used > 0 && value >> (8 * used - 1) & 1) value |= ~UINT64_C(0) << (8 * used);
    return (double)(int64_t)value;
}

/* Push what an option stands for; how many bytes it took. */
static size_t unpack_one(lua_State *L, char option, size_t bytes, const layout *how,
                         const char *data, size_t rest) {
    float shorter;
    double number;
    char raw[sizeof number];
    switch (option) {
    case 'f':
        memcpy(raw, data, bytes);
        in_order(raw, bytes, how->little);
        memcpy(&shorter, raw, bytes);
        lua.lua_pushnumber(L, (double)shorter);
        return bytes;
    case 'd':
        memcpy(raw, data, bytes);
        in_order(raw, bytes, how->little);
        memcpy(&number, raw, bytes);
        lua.lua_pushnumber(L, number);
        return bytes;
    case 's': {
        const char *end = memchr(data, 0, rest);
        if (!end) lua.luaL_error(L, "unfinished string in data");
        lua.lua_pushlstring(L, data, (size_t)(end - data));
        return (size_t)(end - data) + 1;
    }
    case 'c':
        lua.lua_pushlstring(L, data, bytes);
        return bytes;
    default:
        lua.lua_pushnumber(L, unpacked_integer(data, bytes, how->little, islower(option)));
        return bytes;
    }
}

static int struct_unpack(lua_State *L) {
    size_t length;
    const char *format = lua.luaL_checklstring(L, 1, NULL);
    const char *data = lua.luaL_checklstring(L, 2, &length);
    lua_Integer offset = lua.luaL_optinteger(L, 3, 1);
    if (offset == 0) lua.luaL_argerror(L, 3, "offset must be 1 or greater");
    size_t position = (size_t)offset - 1;
    layout how = INITIAL;
    int count = 0;
    while (*format) {
        char option = *format++;
        size_t bytes = option_bytes(L, option, &format);
        position += padding(bytes, &how, option, position);
        if (position > length || bytes > length - position) {
            lua.luaL_argerror(L, 2, "data string too short");
        }
        lua.luaL_checkstack(L, 2, "too many results");
        if (option == 'x') {
            position += bytes;
        } else if (!is_data(option)) {
            control(L, option, &format, &how);
        } else {
            if (option == 'c' && bytes == 0) {
                /* The number that was read before it says how many. */
                if (count == 0 || !lua.lua_isnumber(L, -1)) {
                    lua.luaL_error(L, "format 'c0' needs a previous size");
                }
                bytes = (size_t)lua.lua_tonumber(L, -1);
                lua_pop(L, 1);
                count--;
                if (bytes > length - position) lua.luaL_argerror(L, 2, "data string too short");
            }
            position += unpack_one(L, option, bytes, &how, data + position, length - position);
            count++;
        }
    }
    lua.lua_pushnumber(L, (double)(position + 1));
    return count + 1;
}

static int struct_size(lua_State *L) {
    const char *format = lua.luaL_checklstring(L, 1, NULL);
    layout how = INITIAL;
    size_t position = 0;
    while (*format) {
        char option = *format++;
        size_t bytes = option_bytes(L, option, &format);
        position += padding(bytes, &how, option, position);
        if (option == 's') lua.luaL_argerror(L, 1, "option 's' has no fixed size");
        if (option == 'c' && bytes == 0) {
            lua.luaL_argerror(L, 1, "option 'c0' has no fixed size");
        }
        if (!isalnum((unsigned char)option)) control(L, option, &format, &how);
        position += bytes;
    }
    lua.lua_pushnumber(L, (double)position);
    return 1;
}

void lua_open_struct(lua_State *L) {
    static const lua_entry functions[] = {
        {"pack", struct_pack}, {"unpack", struct_unpack}, {"size", struct_size}, {NULL, NULL}};
    lua.lua_createtable(L, 0, 3);
    lua_add_functions(L, functions);
}
