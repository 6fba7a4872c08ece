/* A ring of records in shared memory: many producers, many consumers, lossy, and at nobody's mercy.
 *
 * A record lies in consecutive cells (layout.h), found by the position of its first one. Positions
 * grow for ever; cell `position & mask` holds it until a later lap overwrites it.
 *
 *   reserve --+-- fill* --+-- publish            a record that nobody else answers for
 *             |           `-- settle -- publish  or void, later and by anybody: a record that a
 *             |                                  log names (the feed)
 *             `-- SC_OK even if the record is lost at once: the loss is told when it is published
 *
 *   read:  SC_OK         a record; its bytes are in the sink, the reader moved past it
 *          SC_MISS       nothing yet: the reader waits at its place
 *          SC_UNCHANGED  something that is no record was passed (voided, left by a dead producer)
 *          SC_LOST       records may have been missed. The reader stands at the oldest whole record
 *
 * Nobody ever waits for a consumer. A consumer that is lapped is told so, and so is every consumer
 * when a record could not be written or published (`losses`): told after the change was committed,
 * never only before.
 *
 * Memory ordering
 *
 *  1. Who sees a record sees its bytes. `publish` exchanges the first cell's stamp with release
 *     after the bytes; a reader loads it with acquire before them.
 *  2. Who read bytes of a later lap notices. A producer stamps all of its cells (each an acquire-
 *     release exchange), then fences (release), then writes bytes. A reader copies, fences
 * (acquire), and looks at all the record's stamps again: if it read one byte of the later record,
 * the fences order that record's stamps before the second look (the argument of lock.h's readers).
 *  3. A late producer harms no later record's stamp: stamps are compare-and-exchanged and only ever
 *     replaced by later ones, so it finds the newer stamp, and its own record is lost instead.
 *  4. Nor its bytes. A producer that may be writing is *marked*: it stores a lower bound of its
 *     position into its mark before it advances `tail`, the exact range after, and clears the mark
 *     (release) when its last byte is written. Who replaces a stamp of an earlier lap has read, by
 *     that exchange (acquire), everything before it, the exact mark included. So after stamping a
 *     producer looks for a mark that overlaps with its cells one lap or more behind; there is one
 *     only if somebody stopped in the middle of an append for a whole lap. Then the newer record is
 *     the lost one. Looking is needed once a lap: `settled` says below which position nobody
 * writes.
 *  5. An unstamped cell below `tail` is somebody's who is marked, or nobody's. `tail` is advanced
 * by an acquire-release addition, after the mark. A reader that loaded (acquire) a tail beyond the
 *     cell sees the mark, or what replaced it, and then (acquire again) the stamp that was stored
 *     before it. Marked by the living: wait. Nobody, or the dead: pass it.
 *     Marked by somebody stopped for SC_RING_PATIENCE_MS: void the cell for it, and it will find
 * its record lost.
 *  6. Nobody sleeps through a record. A producer publishes, fences (sequentially consistent), loads
 *     `asleep`; a consumer sets `asleep`, fences, looks for a record, and only then sleeps, on the
 *     value that `wakes` had before. One of the two sees the other. Whoever wakes clears `asleep`
 *     first, so a killed sleeper costs one system call, once.
 *
 * Damage. Every position is masked, every length is checked against the process's own copy of the
 * sizes, every walk ends after one lap, every sleep after SC_RING_SLICE_MS. A stamp that claims a
 * position beyond `tail` is damage and is overwritten. So damage can lose or garble records of this
 * ring; it cannot crash, hang or mislead anybody about other memory. */
#ifndef SC_RING_H
#define SC_RING_H

#include "internal.h"

#define SC_RING_SLICE_MS 100 /* a sleep is never longer: a lost wake-up costs no more */
#define SC_RING_HOLE_MS 5    /* a sleep while a producer is in the middle of an append */
#define SC_RING_PATIENCE_MS                                                                        \
    1000 /* then a stopped producer's unfinished append is passed, as lost */

/* Layout: what a segment of that many cells (a power of two) takes, and making one in zeroed
 * memory. */
uint64_t sc_ring_bytes(uint64_t cells);
void sc_ring_format(void *base, uint64_t cells, uint64_t generation);
/* Is this a ring of that many cells and that generation? SC_LAYOUT. `held`: its records may stay
 * pending after they are settled, since a log names them. */
enum { SC_RING_WRITABLE = 1, SC_RING_HELD = 2 };
int sc_ring_attach(sc_ring *ring, void *base, uint64_t cells, uint64_t generation, uint32_t flags);
uint32_t sc_ring_most(const sc_ring *ring); /* bytes in a record at most */

/* A producer: one thread at a time, in one process (a fork's child joins anew). SC_NO_SLOT if
 * every mark is taken by the living. */
int sc_ring_join(const sc_ring *ring, sc_ring_producer *out);
void sc_ring_leave(const sc_ring *ring, sc_ring_producer *producer);

/* Take room. From here on until sc_ring_settle (or a publish by a producer that settles after it) a
 * death leaves a record that readers pass. SC_VALUE_TOO_LONG; else SC_OK, also when the record is
 * lost already, since somebody stopped where it has to lie: then filling it does nothing, and
 * publishing it tells everybody of a loss. */
int sc_ring_reserve(const sc_ring *ring, sc_ring_producer *producer, uint32_t bytes,
                    uint64_t *position);
/* Write part of it. `offset + length` lies within the bytes reserved. */
void sc_ring_fill(const sc_ring *ring, const sc_ring_producer *producer, uint64_t position,
                  uint32_t offset, const void *bytes, uint32_t length);
/* It is filled. Readers now wait at it, however long, until somebody publishes or voids it, also
 * if this process dies: call it when a log names the position. */
void sc_ring_settle(const sc_ring *ring, sc_ring_producer *producer);
/* By position alone, so by whoever finishes a dead owner's work; twice is harmless. A record that
 * was overwritten or lost before it could be published is a loss, which everybody is told of. */
void sc_ring_publish(const sc_ring *ring, uint64_t position);
void sc_ring_void(const sc_ring *ring, uint64_t position);
/* After one or more publishes: wake whoever sleeps. Without sleepers no system call. */
void sc_ring_wake(const sc_ring *ring);
/* Everything above for a record that no log names. SC_LOST: it could not be written, everybody was
 * told. */
int sc_ring_append(const sc_ring *ring, sc_ring_producer *producer, const void *bytes,
                   uint32_t length);

/* ---- consumers, who may have the ring mapped for reading only
 * ----------------------------------*/
/* Start at the end; in a ring whose records are held pending, at the oldest of those: what is
 * published from now on is seen, and something published shortly before may be seen too. */
void sc_ring_start(const sc_ring *ring, sc_ring_reader *reader);
int sc_ring_read(const sc_ring *ring, sc_ring_reader *reader, sc_sink *sink);
/* Sleep until there may be something, or `timeout_ms` is over (also sooner: look again). A thread
 * with an interpreter lock gives it up before. A reader of a read-only mapping cannot ask to be
 * woken, it looks every SC_RING_HOLE_MS. */
void sc_ring_wait(const sc_ring *ring, const sc_ring_reader *reader, uint32_t timeout_ms);
/* Make every sleeper look again, as if there were something: to stop a helper thread. */
void sc_ring_rouse(const sc_ring *ring);

#endif
