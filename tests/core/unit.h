/* The unit tests' table: each file exports its tests, unit.c runs them all or those named. */
#ifndef UNIT_H
#define UNIT_H

#include "harness.h"

typedef struct unit {
    const char *name; /* NULL ends a table */
    void (*run)(void);
} unit;

extern const unit unit_attach[];
extern const unit unit_bus[];
extern const unit unit_database[];
extern const unit unit_evict[];
extern const unit unit_expire[];
extern const unit unit_feed[];
extern const unit unit_memory[];
extern const unit unit_patch[];
extern const unit unit_ring[];
extern const unit unit_scan[];
extern const unit unit_slot[];
extern const unit unit_string[];
extern const unit unit_txn[];
extern const unit unit_full[];
extern const unit unit_large[];
extern const unit unit_list[];
extern const unit unit_map[];
extern const unit unit_session[];
extern const unit unit_stream[];
extern const unit unit_walk[];
extern const unit unit_whole[];
extern const unit unit_zset[];

/* An arena of its own for one test, writable. */
typedef struct bench {
    segments files;
    sc_arena *arena;
    buffer got;
} bench;
bench bench_open(uint64_t data_bytes); /* 0: the least that is allowed */
void bench_close(bench *of);           /* validates first */

#endif
