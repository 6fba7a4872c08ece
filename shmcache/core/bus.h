/* The bus: messages from everybody to everybody who listens, and a register of who listens to what.
 *
 * Messages are records of a ring (ring.h), so a publisher waits for nobody, and a subscriber that
 * falls a whole ring behind is told that it missed some.
 *
 * The register is there for counting alone: PUBLISH's answer, PUBSUB NUMSUB. Everybody may write
 * it, and nothing is trusted: an entry belongs to the process that it names, counts while that
 * lives, and is taken over when it does not. Damage, a death in the middle of a change, or a name
 * that did not fit can make a count wrong, and nothing else. */
#ifndef SC_BUS_H
#define SC_BUS_H

#include "ring.h"

uint64_t sc_bus_size(uint64_t cells); /* bytes of ring and register together */
void sc_bus_format(void *base, uint64_t cells, uint64_t generation);
int sc_bus_attach(sc_arena *arena, void *base, uint64_t cells);
void sc_bus_detach(sc_arena *arena);
void sc_bus_forget(sc_arena *arena); /* in a fork's child: its parent's mark is not its own */

enum sc_listening { SC_CHANNEL = 1, SC_PATTERN, SC_SHARD_CHANNEL };

/* The beginning of a message's record; channel and message follow. */
typedef struct sc_message {
    uint64_t origin; /* the publisher's sc_sys_nonce() */
    uint32_t channel_bytes;
    uint32_t kind; /* enum sc_listening: SC_CHANNEL or SC_SHARD_CHANNEL; 0 = too long to be had */
} sc_message;

/* SC_VALUE_TOO_LONG, SC_NO_SLOT, SC_LOST (subscribers were told). Holds a lock of this process. */
int sc_bus_publish(sc_arena *arena, const sc_message *head, const char *channel, const char *text,
                   uint64_t bytes);

/* Enter a name with one subscription: its place, or SC_NO_SLOT if the register is full. */
int sc_bus_enter(sc_arena *arena, uint32_t kind, const char *name, uint32_t length,
                 uint32_t *place);
void sc_bus_count(sc_arena *arena, uint32_t place, uint32_t count); /* 0 gives the place back */
/* Tells of each entry of the living, or only of `kind` and `name` (NULL: of any). A name too long
 * for its entry is given without its end. */
typedef bool (*sc_bus_emit)(void *context, uint32_t kind, bool own, uint32_t count,
                            const char *name, uint32_t length, bool whole);
bool sc_bus_entries(sc_arena *arena, uint32_t kind, const char *name, uint32_t length,
                    sc_bus_emit emit, void *context);
/* Might others listen? May be wrong only by saying yes. */
bool sc_bus_has_others(sc_arena *arena);

#endif
