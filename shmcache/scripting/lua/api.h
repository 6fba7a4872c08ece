/* Lua 5.1's C interface, found at run time in the library that the lupa package brings along.
 *
 * That library exports these functions, since Lua's own C modules need them; looking them up by
 * name, instead of linking, makes sure that they are Lua 5.1's, whatever else is loaded. The names,
 * types and numbers are those of the Lua 5.1 Reference Manual, section 3 and 4, and have not
 * changed since 2006. */
#ifndef SHMCACHE_LUA_API_H
#define SHMCACHE_LUA_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct lua_State lua_State;
typedef double lua_Number;
typedef ptrdiff_t lua_Integer;
typedef int (*lua_CFunction)(lua_State *L);

enum {
    LUA_TNONE = -1,
    LUA_TNIL = 0,
    LUA_TBOOLEAN = 1,
    LUA_TLIGHTUSERDATA = 2,
    LUA_TNUMBER = 3,
    LUA_TSTRING = 4,
    LUA_TTABLE = 5,
    LUA_TFUNCTION = 6,
};
enum {
    LUA_REGISTRYINDEX = -10000,
    LUA_GLOBALSINDEX = -10002,
    LUA_MULTRET = -1,
    LUA_MASKLINE = 4,
    LUA_MASKCOUNT = 8,
    LUA_GCSTOP = 0,
    LUA_GCRESTART = 1,
    LUA_GCCOUNT = 3,
    LUA_GCSTEP = 5,
};
static inline int lua_upvalueindex(int i) {
    return LUA_GLOBALSINDEX - i;
}

typedef struct lua_Debug {
    int event;
    const char *name;
    const char *namewhat;
    const char *what;
    const char *source;
    int currentline;
    int nups;
    int linedefined;
    int lastlinedefined;
    char short_src[60];
    int i_ci;
} lua_Debug;
typedef void (*lua_Hook)(lua_State *L, lua_Debug *ar);

/* clang-format off */
#define LUA_API_FUNCTIONS(X)                                            \
    X(int, lua_checkstack, (lua_State *, int))                          \
    X(void, lua_createtable, (lua_State *, int, int))                   \
    X(int, lua_error, (lua_State *))                                    \
    X(int, lua_gc, (lua_State *, int, int))                             \
    X(void, lua_getfield, (lua_State *, int, const char *))             \
    X(int, lua_getinfo, (lua_State *, const char *, lua_Debug *))       \
    X(int, lua_getmetatable, (lua_State *, int))                        \
    X(int, lua_getstack, (lua_State *, int, lua_Debug *))               \
    X(int, lua_gettop, (lua_State *))                                   \
    X(void, lua_insert, (lua_State *, int))                             \
    X(int, lua_isnumber, (lua_State *, int))                            \
    X(void *, lua_newuserdata, (lua_State *, size_t))                   \
    X(int, lua_next, (lua_State *, int))                                \
    X(int, lua_pcall, (lua_State *, int, int, int))                     \
    X(void, lua_call, (lua_State *, int, int))                          \
    X(void, lua_pushboolean, (lua_State *, int))                        \
    X(void, lua_pushcclosure, (lua_State *, lua_CFunction, int))        \
    X(const char *, lua_pushfstring, (lua_State *, const char *, ...))  \
    X(void, lua_pushlightuserdata, (lua_State *, void *))               \
    X(void, lua_pushlstring, (lua_State *, const char *, size_t))       \
    X(void, lua_pushnil, (lua_State *))                                 \
    X(void, lua_pushnumber, (lua_State *, lua_Number))                  \
    X(void, lua_pushstring, (lua_State *, const char *))                \
    X(void, lua_pushvalue, (lua_State *, int))                          \
    X(int, lua_rawequal, (lua_State *, int, int))                       \
    X(void, lua_rawget, (lua_State *, int))                             \
    X(void, lua_rawgeti, (lua_State *, int, int))                       \
    X(void, lua_rawset, (lua_State *, int))                             \
    X(void, lua_rawseti, (lua_State *, int, int))                       \
    X(void, lua_remove, (lua_State *, int))                             \
    X(void, lua_replace, (lua_State *, int))                            \
    X(int, lua_setfenv, (lua_State *, int))                             \
    X(void, lua_setfield, (lua_State *, int, const char *))             \
    X(int, lua_sethook, (lua_State *, lua_Hook, int, int))              \
    X(int, lua_setmetatable, (lua_State *, int))                        \
    X(void, lua_settop, (lua_State *, int))                             \
    X(int, lua_toboolean, (lua_State *, int))                           \
    X(const char *, lua_tolstring, (lua_State *, int, size_t *))        \
    X(lua_Number, lua_tonumber, (lua_State *, int))                     \
    X(void *, lua_touserdata, (lua_State *, int))                       \
    X(int, lua_type, (lua_State *, int))                                \
    X(const char *, lua_typename, (lua_State *, int))                   \
    X(int, luaL_argerror, (lua_State *, int, const char *))             \
    X(void, luaL_checkany, (lua_State *, int))                          \
    X(lua_Integer, luaL_checkinteger, (lua_State *, int))               \
    X(const char *, luaL_checklstring, (lua_State *, int, size_t *))    \
    X(lua_Number, luaL_checknumber, (lua_State *, int))                 \
    X(int, luaL_checkoption,                                            \
      (lua_State *, int, const char *, const char *const *))            \
    X(void, luaL_checkstack, (lua_State *, int, const char *))          \
    X(void, luaL_checktype, (lua_State *, int, int))                    \
    X(int, luaL_error, (lua_State *, const char *, ...))                \
    X(int, luaL_loadbuffer,                                             \
      (lua_State *, const char *, size_t, const char *))                \
    X(lua_State *, luaL_newstate, (void))                               \
    X(lua_Integer, luaL_optinteger, (lua_State *, int, lua_Integer))    \
    X(int, luaL_ref, (lua_State *, int))                                \
    X(void, luaL_unref, (lua_State *, int, int))                        \
    X(void, luaL_where, (lua_State *, int))                             \
    X(void, lua_close, (lua_State *))                                   \
    X(int, luaopen_base, (lua_State *))                                 \
    X(int, luaopen_math, (lua_State *))                                 \
    X(int, luaopen_os, (lua_State *))                                   \
    X(int, luaopen_string, (lua_State *))                               \
    X(int, luaopen_table, (lua_State *))
/* clang-format on */

typedef struct lua_api {
#define X(result, name, parameters) result(*name) parameters;
    LUA_API_FUNCTIONS(X)
#undef X
} lua_api;

/* Filled by lua_api_find: NULL, or the name of what the library at `path` lacks. */
extern lua_api lua;
const char *lua_api_find(const char *path);

/* What the manual has as macros. */
static inline void lua_pop(lua_State *L, int n) {
    lua.lua_settop(L, -n - 1);
}
static inline void lua_pushcfunction(lua_State *L, lua_CFunction f) {
    lua.lua_pushcclosure(L, f, 0);
}
static inline bool lua_isnoneornil(lua_State *L, int index) {
    return lua.lua_type(L, index) <= LUA_TNIL;
}

typedef struct lua_entry {
    const char *name;
    lua_CFunction function;
} lua_entry;
/* Add functions to the table on top; the last entry's name is NULL. */
void lua_add_functions(lua_State *L, const lua_entry *entries);

/* Bytes that grow. They live as long as the process and are used by one function at a time, so that
 * an error that leaves it by a long jump loses nothing. */
typedef struct scratch {
    char *bytes;
    size_t length, capacity;
} scratch;
/* Room for so many bytes more, or a Lua error. */
char *scratch_reserve(lua_State *L, scratch *buffer, size_t more);
void scratch_add(lua_State *L, scratch *buffer, const void *bytes, size_t length);
static inline void scratch_byte(lua_State *L, scratch *buffer, uint8_t byte) {
    *scratch_reserve(L, buffer, 1) = (char)byte;
    buffer->length++;
}
/* Forget the contents, and memory beyond the usual. */
void scratch_clear(scratch *buffer);

/* Each pushes the table of its library. */
void lua_open_bit(lua_State *L);
int lua_open_cjson(lua_State *L);
void lua_open_cmsgpack(lua_State *L);
void lua_open_struct(lua_State *L);

#endif
