/* Lua's functions, looked up, and what its libraries share. See api.h. */
#include "api.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

enum { SCRATCH_KEPT = 1 << 20 };

lua_api lua;

const char *lua_api_find(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) return path;
#define X(result, name, parameters)                                                                \
    *(void **)&lua.name = dlsym(library, #name);                                                   \
    if (!lua.name) return #name;
    LUA_API_FUNCTIONS(X)
#undef X
    return NULL;
}

void lua_add_functions(lua_State *L, const lua_entry *entries) {
    for (; entries->name; entries++) {
        lua_pushcfunction(L, entries->function);
        lua.lua_setfield(L, -2, entries->name);
    }
}

char *scratch_reserve(lua_State *L, scratch *buffer, size_t more) {
    if (buffer->length + more > buffer->capacity) {
        size_t capacity = buffer->capacity ? buffer->capacity : 1024;
        while (capacity < buffer->length + more)
            capacity *= 2;
        char *bytes = realloc(buffer->bytes, capacity);
        if (!bytes) lua.luaL_error(L, "not enough memory");
        buffer->bytes = bytes;
        buffer->capacity = capacity;
    }
    return buffer->bytes + buffer->length;
}

void scratch_add(lua_State *L, scratch *buffer, const void *bytes, size_t length) {
    char *to = scratch_reserve(L, buffer, length);
    if (length) memcpy(to, bytes, length);
    buffer->length += length;
}

void scratch_clear(scratch *buffer) {
    if (buffer->capacity > SCRATCH_KEPT) {
        free(buffer->bytes);
        buffer->bytes = NULL;
        buffer->capacity = 0;
    }
    buffer->length = 0;
}
