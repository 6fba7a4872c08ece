/* What scripts see: Lua's globals made safe, the library `redis`, and how they are run.
 *
 * The embedder (_lua.pyx) fills script_host; nothing here knows of Python. */
#ifndef SHMCACHE_LUA_SCRIPT_H
#define SHMCACHE_LUA_SCRIPT_H

#include "api.h"

/* What the embedder does. None of these raises a Lua error by itself; they push one and say so. */
typedef struct script_host_functions {
    /* A command whose words are the arguments. Pushes the reply; false: it is an error. */
    bool (*command)(lua_State *L);
    /* redis.acl_check_cmd: pushes a boolean, or an error (false). */
    bool (*check_command)(lua_State *L);
    /* Pushes the SHA-1 of the string at the index, in hexadecimal digits. */
    void (*push_sha1)(lua_State *L, int index);
    void (*log)(lua_State *L, int level, const char *text, size_t length);
    /* redis.register_function, with the arguments on the stack; false: pushed an error. */
    bool (*register_function)(lua_State *L);
    /* Called now and then; true: the script has to end, an error was pushed. */
    bool (*tick)(lua_State *L);
    /* At most 40 bytes: a double as replies show it; returns the length. */
    int (*double_text)(double number, char *text);
} script_host_functions;
extern script_host_functions script_host;

/* redis.setresp's number: how the commands of the running script answer. */
extern int script_resp;

/* Make the globals of a new state those of a script. `version` is REDIS_VERSION, `number` its
 * REDIS_VERSION_NUM. */
void script_open(lua_State *L, const char *version, int number);
/* Take away what a script may have left behind. */
void script_begin(lua_State *L);
/* From now on each line raises an error, wherever the script tries to catch it. */
void script_stop(lua_State *L);
/* Set one of the globals that change from run to run to the value on top, which goes. */
void script_set_global(lua_State *L, const char *name);
/* For lua_pcall: makes any error a table with err, source and line. */
int script_error_handler(lua_State *L);
/* Push a table with the field err. `text` is what follows ERR, or begins with its own code after a
 * dash. */
void script_push_error(lua_State *L, const char *text);
/* Switch between the library `redis` of scripts and that of a library's loading. */
void script_loading(lua_State *L, bool loading);

/* sandbox.c */
void sandbox_open(lua_State *L);
/* Replace the table on top by one through which nothing can be changed. */
void sandbox_protect(lua_State *L);
/* Whether the value at `index` is such a table; pushes what lies behind it if so. */
bool sandbox_push_real(lua_State *L, int index);
void sandbox_clean(lua_State *L);
void sandbox_seed(uint32_t seed);

/* reply.c: the value on top in RESP, in script_reply; it goes. Whether it is an error. */
extern scratch script_reply;
bool script_encode(lua_State *L, int resp);
/* The same as a Lua function of (value, resp), so that its errors are caught. */
int script_encode_protected(lua_State *L);

#endif
