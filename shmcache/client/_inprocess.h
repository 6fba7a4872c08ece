/* The C that Cython cannot say: a method table whose entries share one way out.
 *
 * Each entry calls short_NAME and, when that returns NULL, inprocess_long_way with the entry's
 * index; both are Cython functions of _inprocess.pyx. The table is turned into descriptors of a
 * given class by inprocess_describe. */
#ifndef INPROCESS_H
#define INPROCESS_H

#include <Python.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* X(method, short way, text signature, summary). Two methods may share a short way. */
#define INPROCESS_METHODS(X)                                                                       \
    X(get, get, "name", "Return the value at ``name``, or None.")                                  \
    X(mget, mget, "keys, *args", "Return the values of all keys, as of one instant.")              \
    X(exists, exists, "*names", "Return how many of ``names`` exist.")                             \
    X(__contains__, exists, "name", "Whether the key exists.")                                     \
    X(strlen, strlen, "name", "Return the length of the value at ``name``, in bytes.")             \
    X(ttl, ttl, "name", "Return the seconds left, -1 without an expiry, -2 without the key.")      \
    X(pttl, pttl, "name", "Return the milliseconds left, -1 without expiry, -2 without the key.")  \
    X(set, set,                                                                                    \
      "name, value, ex=None, px=None, nx=False, xx=False, keepttl=False, get=False, exat=None, "   \
      "pxat=None, **options",                                                                      \
      "Set ``name`` to ``value``.")                                                                \
    X(mset, mset, "mapping", "Set all the keys of ``mapping`` to its values at one instant.")      \
    X(setnx, setnx, "name, value", "Set ``name`` to ``value`` if it does not exist.")              \
    X(setex, setex, "name, time, value", "Set ``name`` to ``value`` for ``time`` seconds.")        \
    X(psetex, psetex, "name, time_ms, value", "Set ``name`` to ``value`` for milliseconds.")       \
    X(incr, incrby, "name, amount=1", "Add ``amount`` to the integer at ``name``.")                \
    X(incrby, incrby, "name, amount=1", "Add ``amount`` to the integer at ``name``.")              \
    X(decr, decrby, "name, amount=1", "Subtract ``amount`` from the integer at ``name``.")         \
    X(decrby, decrby, "name, amount=1", "Subtract ``amount`` from the integer at ``name``.")       \
    X(append, append, "key, value", "Append to the value at ``key``; return its new length.")      \
    X(delete, delete, "*names", "Delete keys; return how many there were.")                        \
    X(unlink, delete, "*names", "Delete keys; return how many there were.")                        \
    X(expire, expire, "name, time, **options", "Let ``name`` die in ``time`` seconds.")            \
    X(pexpire, pexpire, "name, time, **options", "Let ``name`` die in ``time`` milliseconds.")     \
    X(hget, hget, "name, key", "Return the value of a hash's field, or None.")                     \
    X(hmget, hmget, "name, keys, *args", "Return the values of a hash's fields.")                  \
    X(hgetall, hgetall, "name", "Return a hash as a dict.")                                        \
    X(hexists, hexists, "name, key", "Whether a hash has the field.")                              \
    X(hlen, hlen, "name", "Return how many fields a hash has.")                                    \
    X(hset, hset, "name, key=None, value=None, mapping=None, items=None",                          \
      "Set fields of a hash; return how many are new.")                                            \
    X(hdel, hdel, "name, *keys", "Delete fields of a hash; return how many there were.")           \
    X(hincrby, hincrby, "name, key, amount=1", "Add to the integer in a hash's field.")            \
    X(sismember, sismember, "name, value", "Return 1 if a set has the member, else 0.")            \
    X(smembers, smembers, "name", "Return a set's members.")                                       \
    X(scard, scard, "name", "Return how many members a set has.")                                  \
    X(sadd, sadd, "name, *values", "Add members to a set; return how many are new.")               \
    X(srem, srem, "name, *values", "Remove members of a set; return how many there were.")         \
    X(lindex, lindex, "name, index", "Return a list's element, or None.")                          \
    X(lrange, lrange, "name, start, end", "Return a list's elements from start to end.")           \
    X(llen, llen, "name", "Return how many elements a list has.")                                  \
    X(lpush, lpush, "name, *values", "Push elements to a list's left end; return its length.")     \
    X(rpush, rpush, "name, *values", "Push elements to a list's right end; return its length.")    \
    X(lpop, lpop, "name, count=None", "Take elements from a list's left end.")                     \
    X(rpop, rpop, "name, count=None", "Take elements from a list's right end.")                    \
    X(zscore, zscore, "name, value", "Return a member's score, or None.")                          \
    X(zrank, zrank, "name, value, withscore=False, score_cast_func=float",                         \
      "Return a member's rank from the lowest score, or None.")                                    \
    X(zcard, zcard, "name", "Return how many members a sorted set has.")                           \
    X(zrange, zrange,                                                                              \
      "name, start, end, desc=False, withscores=False, score_cast_func=float, byscore=False, "     \
      "bylex=False, offset=None, num=None",                                                        \
      "Return a sorted set's members from start to end.")                                          \
    X(zadd, zadd, "name, mapping, nx=False, xx=False, ch=False, incr=False, gt=False, lt=False",   \
      "Set members' scores; return how many are new.")                                             \
    X(zincrby, zincrby, "name, amount, value", "Add to a member's score; return it.")

/* What the interpreter hands to a METH_FASTCALL | METH_KEYWORDS method. */
typedef struct inprocess_call {
    PyObject *self;
    PyObject *const *args; /* positional ones, then the values of the keyword ones */
    Py_ssize_t count;      /* of the positional ones */
    PyObject *names;       /* tuple of the keywords, NULL when there are none */
} inprocess_call;

enum inprocess_method {
#define X(method, way, signature, summary) INPROCESS_##method,
    INPROCESS_METHODS(X)
#undef X
        INPROCESS_METHOD_COUNT
};

static PyObject *inprocess_long_way(const inprocess_call *call, int method);

#define X(method, way, signature, summary)                                                         \
    static PyObject *short_##way(const inprocess_call *call);                                      \
    static PyObject *inprocess_##method(PyObject *self, PyObject *const *args, Py_ssize_t count,   \
                                        PyObject *names) {                                         \
        const inprocess_call call = {self, args, count, names};                                    \
        PyObject *result = short_##way(&call);                                                     \
        if (__builtin_expect(result != NULL, 1)) return result;                                    \
        return inprocess_long_way(&call, INPROCESS_##method);                                      \
    }
INPROCESS_METHODS(X)
#undef X

static PyMethodDef inprocess_methods[] = {
#define X(method, way, signature, summary)                                                         \
    {#method, (PyCFunction)(void (*)(void))inprocess_##method, METH_FASTCALL | METH_KEYWORDS,      \
     #method "($self, " signature ")\n--\n\n" summary},
    INPROCESS_METHODS(X)
#undef X
};

/* The hash that a str or bytes key carries once a dict has seen it, else -1. */
static inline Py_hash_t inprocess_key_hash(PyObject *key) {
    if (PyUnicode_CheckExact(key)) return ((PyASCIIObject *)key)->hash;
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#endif
    if (PyBytes_CheckExact(key)) return ((PyBytesObject *)key)->ob_shash;
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
    return -1;
}

/* A descriptor of method number `method` for instances of `owner`. */
static PyObject *inprocess_describe(PyObject *owner, int method) {
    return PyDescr_NewMethod((PyTypeObject *)owner, &inprocess_methods[method]);
}

/* Whether `descriptor` was made by inprocess_describe for this method, of whatever class. */
static int inprocess_is_short(PyObject *descriptor, int method) {
    return Py_TYPE(descriptor) == &PyMethodDescr_Type &&
           ((PyMethodDescrObject *)descriptor)->d_method == &inprocess_methods[method];
}

enum { INPROCESS_STACK_ARGS = 16 };

/* function(self, *args, **names) */
static PyObject *inprocess_forward(PyObject *function, const inprocess_call *call) {
    PyObject *stack[INPROCESS_STACK_ARGS + 1];
    PyObject **all = stack, *result;
    Py_ssize_t total = call->count + (call->names ? PyTuple_GET_SIZE(call->names) : 0);
    if (total > INPROCESS_STACK_ARGS) {
        all = PyMem_New(PyObject *, (size_t)total + 1);
        if (!all) return PyErr_NoMemory();
    }
    all[0] = call->self;
    memcpy(all + 1, call->args, (size_t)total * sizeof *all);
    result = PyObject_Vectorcall(function, all, (size_t)call->count + 1, call->names);
    if (all != stack) PyMem_Free(all);
    return result;
}

static inline int64_t inprocess_clock_ms(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Decimal digits of `value` at `out`, which has room for 20 bytes; returns how many. */
static inline Py_ssize_t inprocess_format(int64_t value, char *out) {
    char reversed[20];
    Py_ssize_t digits = 0, length = 0;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        reversed[digits++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0) out[length++] = '-';
    while (digits)
        out[length++] = reversed[--digits];
    return length;
}

#endif
