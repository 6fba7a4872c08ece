"""The system calls, bounds and clocks of the inner loop."""

cdef extern from "sys/socket.h" nogil:
    ssize_t recv(int descriptor, void *bytes, size_t length, int flags)
    ssize_t send(int descriptor, const void *bytes, size_t length, int flags)
    int MSG_DONTWAIT
    int MSG_NOSIGNAL

cdef extern from "poll.h" nogil:
    struct pollfd:
        int fd
        short events
    int poll(pollfd *asked, unsigned long count, int timeout)
    short POLLRDHUP

cdef extern from "sys/epoll.h" nogil:
    ctypedef union epoll_data_t:
        void *ptr
    struct epoll_event:
        uint32_t events
        epoll_data_t data
    int epoll_create1(int flags)
    int epoll_ctl(int epoll, int operation, int descriptor, epoll_event *event)
    int epoll_wait(int epoll, epoll_event *events, int count, int timeout)
    int EPOLL_CLOEXEC
    int EPOLL_CTL_ADD
    int EPOLL_CTL_DEL
    int EPOLL_CTL_MOD
    uint32_t EPOLLIN
    uint32_t EPOLLOUT
    uint32_t EPOLLHUP
    uint32_t EPOLLERR

cdef enum:
    EVENTS = 512                 # served in one wake-up
    EVENTS_BETWEEN = 64          # served at once while a command goes on
    INPUT_BYTES = 65536          # received at once: bounds how long one client holds up the others
    RECEIVE_AT_LEAST = 16384     # room for the rest of an unfinished request
    SEND_EARLY_BYTES = 262144    # replies that do not wait for the end of the received requests
    OUTPUT_KEPT_BYTES = 1048576  # a larger shared output buffer is given back
    ADOPT_BYTES = 65536          # an unsent rest as large is not copied, its buffer is taken over
    LIMIT_CLASSES = 3

cdef struct output_limit:
    size_t hard_bytes  # 0 = none
    size_t soft_bytes
    int64_t soft_ns


cdef inline int64_t monotonic_ns() noexcept:
    cdef timespec time
    clock_gettime(CLOCK_MONOTONIC, &time)
    return <int64_t>time.tv_sec * 1000000000 + time.tv_nsec


cdef inline int64_t unix_ms() noexcept:
    cdef timespec time
    clock_gettime(CLOCK_REALTIME, &time)
    return <int64_t>time.tv_sec * 1000 + time.tv_nsec // 1000000
