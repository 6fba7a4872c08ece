# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The binding to Lua: strings and numbers in, encoded replies out. See _lua.pyi.

Lua leaves a function that fails by a long jump, over everything in between. So nothing here raises a
Lua error: callbacks push one and say so, and C raises it (script.c). Memory that Lua cannot get is
the one exception; it ends the process, whose locks and half-done changes are then undone by others.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int64_t
from libc.stdio cimport snprintf
from libc.string cimport memcpy
from posix.time cimport CLOCK_MONOTONIC, CLOCK_REALTIME, clock_gettime, timespec

from collections import namedtuple
import hashlib
import logging
import os

from shmcache.arena import SET_KEEP_TTL
from shmcache.commands.replies import CommandError, NullArray, SetReply, Verbatim
from shmcache.errors import ShmcacheError
from shmcache.protocol.doubles import HumanDouble, double_text, human_text

cdef extern from "api.h" nogil:
    ctypedef struct lua_State:
        pass
    enum:
        LUA_TNIL, LUA_TBOOLEAN, LUA_TNUMBER, LUA_TSTRING, LUA_TTABLE, LUA_TFUNCTION
        LUA_REGISTRYINDEX, LUA_GCCOUNT
    ctypedef int (*lua_CFunction)(lua_State *L)
    ctypedef struct lua_api:
        int (*lua_checkstack)(lua_State *, int)
        void (*lua_close)(lua_State *)
        void (*lua_createtable)(lua_State *, int, int)
        int (*lua_gc)(lua_State *, int, int)
        int (*lua_gettop)(lua_State *)
        int (*lua_next)(lua_State *, int)
        int (*lua_pcall)(lua_State *, int, int, int)
        void (*lua_pushboolean)(lua_State *, int)
        void (*lua_pushlstring)(lua_State *, const char *, size_t)
        void (*lua_pushnil)(lua_State *)
        void (*lua_pushnumber)(lua_State *, double)
        void (*lua_pushstring)(lua_State *, const char *)
        void (*lua_pushvalue)(lua_State *, int)
        void (*lua_rawget)(lua_State *, int)
        void (*lua_rawgeti)(lua_State *, int, int)
        void (*lua_rawset)(lua_State *, int)
        void (*lua_rawseti)(lua_State *, int, int)
        void (*lua_settop)(lua_State *, int)
        int (*lua_toboolean)(lua_State *, int)
        const char *(*lua_tolstring)(lua_State *, int, size_t *)
        double (*lua_tonumber)(lua_State *, int)
        int (*lua_type)(lua_State *, int)
        int (*luaL_loadbuffer)(lua_State *, const char *, size_t, const char *)
        lua_State *(*luaL_newstate)()
        int (*luaL_ref)(lua_State *, int)
        void (*luaL_unref)(lua_State *, int, int)
    lua_api lua
    const char *lua_api_find(const char *path)
    void lua_pop(lua_State *L, int n)
    void lua_pushcfunction(lua_State *L, lua_CFunction function)
    ctypedef struct scratch:
        char *bytes
        size_t length

cdef extern from "script.h" nogil:
    ctypedef bint c_bool "bool"
    ctypedef struct script_host_functions:
        c_bool (*command)(lua_State *) noexcept
        c_bool (*check_command)(lua_State *) noexcept
        void (*push_sha1)(lua_State *, int) noexcept
        void (*log)(lua_State *, int, const char *, size_t) noexcept
        c_bool (*register_function)(lua_State *) noexcept
        c_bool (*tick)(lua_State *) noexcept
        int (*double_text)(double, char *) noexcept
    script_host_functions script_host
    scratch script_reply
    int script_resp
    void script_open(lua_State *L, const char *version, int number)
    void script_begin(lua_State *L)
    void script_stop(lua_State *L)
    void script_set_global(lua_State *L, const char *name)
    int script_error_handler(lua_State *L)
    int script_encode_protected(lua_State *L)
    void script_push_error(lua_State *L, const char *text)
    void script_loading(lua_State *L, c_bool loading)
    void sandbox_seed(unsigned int seed)

cdef enum:
    BYTECODE = 27
    MOST_WORDS = 1024        # of a command that is run directly

# Up to it seconds are milliseconds without an overflow.
cdef double MODERATE = 1e12

_log = logging.getLogger("shmcache.server")

Outcome = namedtuple("Outcome", ("reply", "is_error", "error", "source", "line"))


class ScriptSyntaxError(Exception):
    pass


class Callback(int):
    pass


cdef Interpreter running = None   # whose script the callbacks are about


# ---- from Python to Lua -------------------------------------------------------------------------

cdef inline int push_bytes(lua_State *L, bytes value) except -1:
    lua.lua_pushlstring(L, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
    return 0


cdef int push_list(lua_State *L, list items) except -1:
    cdef int i = 0
    cdef bytes item
    lua.lua_createtable(L, <int>len(items), 0)
    for item in items:
        i += 1
        push_bytes(L, item)
        lua.lua_rawseti(L, -2, i)
    return 0


cdef int push_field(lua_State *L, const char *name, bytes value) except -1:
    """A table with one string in it."""
    lua.lua_createtable(L, 0, 1)
    lua.lua_pushstring(L, name)
    push_bytes(L, value)
    lua.lua_rawset(L, -3)
    return 0


cdef int push_error(lua_State *L, str line) except -1:
    lua.lua_createtable(L, 0, 2)
    lua.lua_pushstring(L, b"err")
    push_bytes(L, line.encode("utf-8", "surrogateescape"))
    lua.lua_rawset(L, -3)
    lua.lua_pushstring(L, b"ignore_error_stats_update")
    lua.lua_pushboolean(L, 1)
    lua.lua_rawset(L, -3)
    return 0


cdef int push_items(lua_State *L, items, int resp) except -1:
    cdef int i = 0
    lua.lua_createtable(L, <int>len(items), 0)
    for item in items:
        i += 1
        push_reply(L, item, resp)
        lua.lua_rawseti(L, -2, i)
    return 0


cdef int push_wrapped(lua_State *L, const char *name, items, bint pairs, int resp) except -1:
    """``{map = {...}}`` and ``{set = {...}}``."""
    lua.lua_createtable(L, 0, 1)
    lua.lua_pushstring(L, name)
    lua.lua_createtable(L, 0, <int>len(items))
    for item in items:
        push_reply(L, item, resp)
        if pairs:
            push_reply(L, items[item], resp)
        else:
            lua.lua_pushboolean(L, 1)
        lua.lua_rawset(L, -3)
    lua.lua_rawset(L, -3)
    return 0


cdef int push_double(lua_State *L, number, int resp) except -1:
    if resp == 3:
        lua.lua_createtable(L, 0, 1)
        lua.lua_pushstring(L, b"double")
        lua.lua_pushnumber(L, number)
        lua.lua_rawset(L, -3)
        return 0
    return push_bytes(L, human_text(number) if isinstance(number, HumanDouble)
                      else double_text(number))


cdef int push_verbatim(lua_State *L, reply, int resp) except -1:
    cdef bytes text = reply.text.encode("utf-8", "surrogateescape")
    if resp == 2:
        return push_bytes(L, text)
    lua.lua_createtable(L, 0, 1)
    lua.lua_pushstring(L, b"verbatim_string")
    push_field(L, b"string", text)
    lua.lua_pushstring(L, b"format")
    push_bytes(L, reply.format.encode())
    lua.lua_rawset(L, -3)
    lua.lua_rawset(L, -3)
    return 0


cdef int push_null(lua_State *L, int resp) except -1:
    if resp == 3:
        lua.lua_pushnil(L)
    else:
        lua.lua_pushboolean(L, 0)
    return 0


cdef int push_reply(lua_State *L, reply, int resp) except -1:
    """A command's reply as Lua has it: what has no type in Lua is a table with one field."""
    if not lua.lua_checkstack(L, 8):
        raise RecursionError("the reply is nested too deeply for Lua")
    kind = type(reply)
    if kind is bytes:
        return push_bytes(L, reply)
    if kind is int:
        lua.lua_pushnumber(L, <double>reply)
        return 0
    if reply is None:
        return push_null(L, resp)
    if kind is str:
        return push_field(L, b"ok", reply.encode("utf-8", "surrogateescape"))
    if kind is list or kind is tuple:
        return push_items(L, reply, resp)
    return push_rare(L, reply, resp)


cdef int push_rare(lua_State *L, reply, int resp) except -1:
    if isinstance(reply, bool):
        if resp == 3:
            lua.lua_pushboolean(L, reply)
        else:
            lua.lua_pushnumber(L, reply)
        return 0
    if isinstance(reply, CommandError):
        return push_error(L, str(reply))
    if isinstance(reply, float):
        return push_double(L, reply, resp)
    if isinstance(reply, NullArray):
        return push_null(L, resp)
    if isinstance(reply, Verbatim):
        return push_verbatim(L, reply, resp)
    if isinstance(reply, dict):
        if resp == 3:
            return push_wrapped(L, b"map", reply, True, resp)
        return push_items(L, [part for pair in reply.items() for part in pair], resp)
    if isinstance(reply, (SetReply, set, frozenset)):
        if resp == 3:
            return push_wrapped(L, b"set", reply, False, resp)
        return push_items(L, reply, resp)
    if isinstance(reply, (list, tuple)):
        return push_items(L, reply, resp)
    if isinstance(reply, int):
        lua.lua_pushnumber(L, <double>reply)
        return 0
    raise TypeError(f"no Lua value can be made of {type(reply).__name__}")


# ---- from Lua to Python -------------------------------------------------------------------------

cdef bytes bytes_at(lua_State *L, int index):
    cdef size_t length
    cdef const char *text = lua.lua_tolstring(L, index, &length)
    return PyBytes_FromStringAndSize(text, length) if text != NULL else b""


cdef bytes word_at(lua_State *L, int index):
    """A command's word; None: it cannot be one."""
    cdef int kind = lua.lua_type(L, index)
    cdef size_t length
    cdef const char *text
    cdef char digits[40]
    if kind == LUA_TSTRING:
        text = lua.lua_tolstring(L, index, &length)
        return PyBytes_FromStringAndSize(text, length)
    if kind == LUA_TNUMBER:
        length = snprintf(digits, sizeof(digits), b"%.17g", lua.lua_tonumber(L, index))
        return PyBytes_FromStringAndSize(digits, length)
    return None


cdef list words_of(lua_State *L):
    """A command's words; None: there is something that cannot be one."""
    cdef int i
    cdef list words = []
    for i in range(1, lua.lua_gettop(L) + 1):
        word = word_at(L, i)
        if word is None:
            return None
        words.append(word)
    return words


cdef object value_at(lua_State *L, int index):
    """What redis.register_function is given."""
    cdef int kind = lua.lua_type(L, index)
    if kind == LUA_TSTRING:
        return bytes_at(L, index)
    if kind == LUA_TNUMBER:
        return lua.lua_tonumber(L, index)
    if kind == LUA_TBOOLEAN:
        return bool(lua.lua_toboolean(L, index))
    if kind == LUA_TFUNCTION:
        lua.lua_pushvalue(L, index)
        return Callback(lua.luaL_ref(L, LUA_REGISTRYINDEX))
    if kind == LUA_TTABLE:
        return dict_at(L, index)
    return None


cdef dict dict_at(lua_State *L, int index):
    cdef dict found = {}
    if not lua.lua_checkstack(L, 4):
        return found
    lua.lua_pushvalue(L, index)
    lua.lua_pushnil(L)
    while lua.lua_next(L, -2):
        key = value_at(L, lua.lua_gettop(L) - 1)
        if not isinstance(key, dict):
            found[key] = value_at(L, lua.lua_gettop(L))
        lua_pop(L, 1)
    lua_pop(L, 1)
    return found


include "_direct.pxi"


# ---- callbacks ----------------------------------------------------------------------------------

cdef void say_failed(lua_State *L, int top) noexcept:
    _log.exception("a script's host failed")
    lua.lua_settop(L, top)
    script_push_error(L, b"internal error, see the server's log")


cdef bint on_command(lua_State *L) noexcept:
    cdef int top = lua.lua_gettop(L)
    cdef list words
    if top == 0:
        script_push_error(L, b"Please specify at least one argument for this redis lib call")
        return False
    try:
        if running.transaction is not None and lua.lua_type(L, 1) == LUA_TSTRING:
            known = running.direct.get(bytes_at(L, 1))
            if known is not None and run_direct(running, L, <Direct>known) == 1:
                return True
        words = words_of(L)
        if words is None:
            script_push_error(L, b"Lua redis lib command arguments must be strings or integers")
            return False
        if script_resp != running.told_resp:
            running.told_resp = script_resp
            running.host.set_resp(script_resp)
        reply = running.ask(words)
        if running.stopping:
            script_stop(L)
        push_reply(L, reply, script_resp)
        return not isinstance(reply, CommandError)
    except Exception:
        say_failed(L, top)
        return False


cdef bint on_check_command(lua_State *L) noexcept:
    cdef int top = lua.lua_gettop(L)
    if top == 0:
        script_push_error(L, b"Please specify at least one argument for this redis lib call")
        return False
    try:
        words = words_of(L)
        if words is None:
            script_push_error(L, b"Lua redis lib command arguments must be strings or integers")
            return False
        answer = running.host.check_command(words)
        if answer is None:
            script_push_error(L, b"Invalid command passed to redis.acl_check_cmd()")
            return False
        lua.lua_pushboolean(L, answer)
        return True
    except Exception:
        say_failed(L, top)
        return False


cdef void on_sha1(lua_State *L, int index) noexcept:
    cdef int top = lua.lua_gettop(L)
    try:
        push_bytes(L, hashlib.sha1(bytes_at(L, index), usedforsecurity=False).hexdigest().encode())
    except Exception:
        say_failed(L, top)


cdef void on_log(lua_State *L, int level, const char *text, size_t length) noexcept:
    try:
        running.host.log(level, PyBytes_FromStringAndSize(text, length))
    except Exception:
        _log.exception("a script's message is lost")


cdef bint on_register_function(lua_State *L) noexcept:
    cdef int top = lua.lua_gettop(L)
    try:
        wrong = running.host.register_function([value_at(L, i) for i in range(1, top + 1)])
        if wrong is None:
            return True
        script_push_error(L, wrong.encode("utf-8", "surrogateescape"))
    except Exception:
        say_failed(L, top)
    return False


cdef bint on_tick(lua_State *L) noexcept:
    cdef int top = lua.lua_gettop(L)
    try:
        wrong = running.host.tick()
        if wrong is None:
            return False
        push_error(L, wrong)
    except Exception:
        say_failed(L, top)
    return True


cdef int on_double(double number, char *text) noexcept:
    try:
        shown = double_text(number)
    except Exception:
        return 0
    memcpy(text, PyBytes_AS_STRING(<bytes>shown), PyBytes_GET_SIZE(<bytes>shown))
    return <int>PyBytes_GET_SIZE(<bytes>shown)


script_host.command = on_command
script_host.check_command = on_check_command
script_host.push_sha1 = on_sha1
script_host.log = on_log
script_host.register_function = on_register_function
script_host.tick = on_tick
script_host.double_text = on_double


# ---- the interpreter ----------------------------------------------------------------------------

cdef bint found = False


def find_lua():
    """Look up Lua's functions in lupa's library, once."""
    global found
    if found:
        return
    import lupa.lua51
    missing = lua_api_find(lupa.lua51.__file__.encode())
    if missing != NULL:
        raise ImportError(f"lupa's Lua 5.1 cannot be used by C modules: no {missing.decode()}")
    found = True


cdef class Interpreter:
    cdef lua_State *L
    cdef object host
    cdef object ask
    cdef public bint stopping
    cdef public object transaction
    cdef public object locked
    cdef public object keys
    cdef public int db
    cdef public bint wrote
    cdef dict direct
    cdef int told_resp

    def __init__(self, host, str version, int number):
        find_lua()
        self.host = host
        self.ask = host.command
        self.direct = {
            spelling: Direct(name, host.stats_of(name))
            for name in DIRECT
            for spelling in (name.encode(), name.upper().encode())
        }
        self.L = lua.luaL_newstate()
        if self.L == NULL:
            raise MemoryError
        script_open(self.L, version.encode(), number)
        sandbox_seed(int.from_bytes(os.urandom(4), "little"))

    def __dealloc__(self):
        self.close()

    def close(self):
        if self.L != NULL:
            lua.lua_close(self.L)
            self.L = NULL

    def compile(self, bytes source, bytes name):
        cdef lua_State *L = self.L
        if source and source[0] == BYTECODE:
            raise ScriptSyntaxError("bytecode is not loaded")
        if lua.luaL_loadbuffer(L, PyBytes_AS_STRING(source), PyBytes_GET_SIZE(source), name):
            message = bytes_at(L, -1).decode("utf-8", "surrogateescape")
            lua_pop(L, 1)
            raise ScriptSyntaxError(message)
        return lua.luaL_ref(L, LUA_REGISTRYINDEX)

    def forget(self, int function):
        lua.luaL_unref(self.L, LUA_REGISTRYINDEX, function)

    def run(self, int function, list keys, list argv, int resp, *, bint as_arguments=False,
            bint loading=False):
        global running
        self.wrote = False
        cdef lua_State *L = self.L
        cdef Interpreter before = running
        running = self
        self.stopping = False
        self.told_resp = 2
        script_begin(L)
        try:
            lua_pushcfunction(L, script_error_handler)
            lua.lua_rawgeti(L, LUA_REGISTRYINDEX, function)
            push_list(L, keys)
            if not as_arguments:
                script_set_global(L, b"KEYS")
            push_list(L, argv)
            if not as_arguments:
                script_set_global(L, b"ARGV")
            if loading:
                script_loading(L, True)
            return self.carry_out(2 if as_arguments else 0, resp)
        finally:
            if loading:
                script_loading(L, False)
            lua.lua_settop(L, 0)
            running = before

    cdef object carry_out(self, int arguments, int resp):
        cdef lua_State *L = self.L
        if lua.lua_pcall(L, arguments, 1, 1):
            return self.failure()
        # what is returned lies at 2
        lua_pushcfunction(L, script_encode_protected)
        lua.lua_pushvalue(L, 2)
        lua.lua_pushnumber(L, resp)
        if lua.lua_pcall(L, 2, 1, 1):
            return self.failure()
        return Outcome(
            PyBytes_FromStringAndSize(script_reply.bytes, script_reply.length),
            bool(lua.lua_toboolean(L, -1)), b"", b"", 0,
        )

    cdef object failure(self):
        """Of the error on top."""
        cdef lua_State *L = self.L
        if lua.lua_type(L, -1) != LUA_TTABLE:
            return Outcome(b"", True, b"ERR " + bytes_at(L, -1), b"", 0)
        lua.lua_pushstring(L, b"err")
        lua.lua_rawget(L, -2)
        error = bytes_at(L, -1)
        if lua.lua_type(L, -1) != LUA_TSTRING:
            error = b"ERR unknown error"
        lua.lua_pushstring(L, b"source")
        lua.lua_rawget(L, -3)
        lua.lua_pushstring(L, b"line")
        lua.lua_rawget(L, -4)
        return Outcome(b"", True, error, bytes_at(L, -2), <int>lua.lua_tonumber(L, -1))

    def used_bytes(self):
        return lua.lua_gc(self.L, LUA_GCCOUNT, 0) * 1024
