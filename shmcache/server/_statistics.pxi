"""What is counted for each command."""

cdef enum:
    LATENCY_STEPS = 16                     # buckets for each doubling: each 6 % wide at most
    LATENCY_BUCKETS = LATENCY_STEPS * 36   # up to 2**40 ns


cdef inline int latency_bucket(int64_t nanoseconds) noexcept:
    """Log-linear: LATENCY_STEPS equal buckets in each power of two."""
    cdef int power = 0
    cdef uint64_t rest = <uint64_t>nanoseconds if nanoseconds > 0 else 0
    while rest >= 2 * LATENCY_STEPS:
        rest >>= 1
        power += 1
    rest += power * LATENCY_STEPS
    return <int>rest if rest < LATENCY_BUCKETS else LATENCY_BUCKETS - 1


cdef int64_t latency_edge_ns(int bucket) noexcept:
    """The first duration beyond a bucket."""
    cdef int power = bucket // LATENCY_STEPS - 1
    if power <= 0:
        return bucket + 1
    return <int64_t>(bucket - power * LATENCY_STEPS + 1) << power


cdef class CommandStats:
    """How often a command was called, how long it took, how often it failed."""

    cdef readonly str name
    cdef public int64_t calls
    cdef public int64_t rejected
    cdef public int64_t failed
    cdef readonly int64_t nanoseconds
    cdef uint32_t histogram[LATENCY_BUCKETS]

    def __init__(self, name):
        self.name = name

    cdef inline void count(self, int64_t nanoseconds) noexcept:
        self.calls += 1
        self.nanoseconds += nanoseconds
        self.histogram[latency_bucket(nanoseconds)] += 1

    def record(self, nanoseconds):
        """Count a call."""
        self.count(nanoseconds)

    def reset(self):
        """Forget everything."""
        self.calls = self.rejected = self.failed = self.nanoseconds = 0
        memset(self.histogram, 0, sizeof(self.histogram))

    def percentile_us(self, percent):
        """Microseconds within which so many of the calls were done: a bucket's upper edge."""
        cdef uint64_t seen = 0
        cdef uint64_t total = 0
        cdef int i
        for i in range(LATENCY_BUCKETS):
            total += self.histogram[i]
        for i in range(LATENCY_BUCKETS):
            seen += self.histogram[i]
            if self.histogram[i] and seen * 100.0 >= percent * total:
                return latency_edge_ns(i) / 1000.0
        return 0.0

    def cumulative(self):
        """How many calls took at most how long: (microseconds, count) pairs at powers of two.

        The edges are 1024 * 2**n nanoseconds, and shown as Redis shows them: as the upper end of
        its histogram's bucket there. An edge is left out where no call lies below it and above the
        one before.
        """
        cdef uint64_t seen = 0
        cdef uint64_t told = 0
        cdef int64_t edge_ns = 1024
        cdef int i = 0
        cdef list found = []
        while i < LATENCY_BUCKETS:
            while i < LATENCY_BUCKETS and (
                latency_edge_ns(i) <= edge_ns or edge_ns > latency_edge_ns(LATENCY_BUCKETS - 2)
            ):
                seen += self.histogram[i]
                i += 1
            if seen > told:
                found.append(((edge_ns + edge_ns // 128 - 1) // 1000, seen))
                told = seen
            edge_ns *= 2
        return found
