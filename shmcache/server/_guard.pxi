"""What a user with restricted rights may do without being looked at by Python.

A guard knows the simplest of his rules: native commands, keys by their beginnings. What it does not
allow is not refused: the handler is asked, which knows them all.
"""

cdef struct key_rule:
    const char *bytes
    size_t length
    size_t least      # a key must be so long at least
    bint whole        # the key is just that, else it begins so
    int permissions


cdef class Guard:
    """One selector of a user's, and the guard of the next one.

    :param needed: by the names of native commands that the selector allows, the permissions that
        each key must have; 0 is enough to be known
    :param keys: ``(text, whole, least, permissions)``: keys that are, or begin with, a text, and
        are at least so long
    :param following: None, or what else may allow a line
    """

    cdef int needed[NATIVE_COMMANDS]  # -1: not for here
    cdef list keys                    # owns the bytes that the rules point to
    cdef key_rule *rules
    cdef size_t count
    cdef Guard following

    def __init__(self, dict needed, list keys, Guard following):
        cdef int which
        cdef bytes text
        self.keys = keys
        self.following = following
        for which in range(NATIVE_COMMANDS):
            self.needed[which] = needed.get(NATIVE_NAMES[which], -1)
        free(self.rules)
        self.count = 0
        self.rules = <key_rule *>malloc((len(keys) + 1) * sizeof(key_rule))
        if self.rules == NULL:
            raise MemoryError
        for text, whole, least, permissions in keys:
            self.rules[self.count] = key_rule(
                PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), least, whole, permissions
            )
            self.count += 1

    def __dealloc__(self):
        free(self.rules)

    cdef bint covers(self, const span *key, int wanted) noexcept:
        cdef size_t i
        cdef key_rule *rule
        for i in range(self.count):
            rule = &self.rules[i]
            if rule.permissions & wanted != wanted or key.length < rule.least:
                continue
            if key.length != rule.length if rule.whole else key.length < rule.length:
                continue
            if memcmp(key.bytes, rule.bytes, rule.length) == 0:
                return True
        return False

    cdef bint allows(self, int which, const span *words, uint32_t count) noexcept:
        """Whether a line is allowed for sure; native code must take no more keys of it than this."""
        cdef int wanted = self.needed[which]
        cdef uint32_t last = count if which == NATIVE_MGET or which == NATIVE_MSET else 2
        cdef uint32_t step = 2 if which == NATIVE_MSET else 1
        cdef uint32_t i = 1
        if wanted >= 0 and (count >= last or which == NATIVE_PING):
            if which == NATIVE_PING:
                return True
            while i < last:
                if not self.covers(&words[i], wanted):
                    break
                i += step
            else:
                return True
        return self.following is not None and self.following.allows(which, words, count)
