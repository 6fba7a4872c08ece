#include "forms.h"

#include <stdlib.h>

/* A limit that every container is over. A list's cannot be 0. */
static void limit_all(sc_tuning *tuning, uint32_t elements, uint32_t bytes, int32_t list) {
    tuning->hash_max_listpack_entries = elements;
    tuning->hash_max_listpack_value = bytes;
    tuning->set_max_intset_entries = elements;
    tuning->set_max_listpack_entries = elements;
    tuning->set_max_listpack_value = bytes;
    tuning->zset_max_listpack_entries = elements;
    tuning->zset_max_listpack_value = bytes;
    tuning->list_max_listpack_size = list;
}

void set_form(sc_arena *arena, int form) {
    sc_tuning tuning;
    sc_get_tuning(arena, &tuning);
    if (form == FORM_TREE)
        limit_all(&tuning, 0, 0, 1);
    else if (form == FORM_PACKED)
        limit_all(&tuning, 100000, 100000, 30000);
    CHECK_STATUS(sc_set_tuning(arena, &tuning), SC_OK);
}

bench bench_open_form(uint64_t data_bytes, int form) {
    bench made = bench_open(data_bytes);
    set_form(made.arena, form);
    return made;
}

/* ---- odd bytes --------------------------------------------------------------------------------*/

#define ODD(literal) {literal, sizeof(literal) - 1}
static const sc_bytes short_ones[] = {
    ODD(""),
    ODD("\0"),
    ODD("\0\0"),
    ODD("a\0b"),
    ODD("a\0c"),
    ODD("\xff"),
    ODD("\xff\xff\xff\xff\xff\xff\xff\xff"),
    ODD("0"),
    ODD("-0"),
    ODD("+0"),
    ODD("00"),
    ODD("007"),
    ODD("7"),
    ODD(" 1"),
    ODD("1 "),
    ODD("1"),
    ODD("-1"),
    ODD("--1"),
    ODD("-"),
    ODD("1.0"),
    ODD("1e3"),
    ODD("0x10"),
    ODD("127"),
    ODD("128"),
    ODD("-128"),
    ODD("-129"),
    ODD("255"),
    ODD("256"),
    ODD("32767"),
    ODD("32768"),
    ODD("-32768"),
    ODD("-32769"),
    ODD("65535"),
    ODD("65536"),
    ODD("8388607"),
    ODD("8388608"),
    ODD("-8388608"),
    ODD("-8388609"),
    ODD("2147483647"),
    ODD("2147483648"),
    ODD("-2147483648"),
    ODD("-2147483649"),
    ODD("4294967295"),
    ODD("4294967296"),
    ODD("549755813887"),
    ODD("-549755813889"),
    ODD("140737488355328"),
    ODD("36028797018963968"),
    ODD("-36028797018963969"),
    ODD("9223372036854775807"),
    ODD("9223372036854775808"),
    ODD("-9223372036854775808"),
    ODD("-9223372036854775809"),
    ODD("18446744073709551615"),
    ODD("99999999999999999999"),
    ODD("\1\2\3\4\5\6\7\10"),
    ODD("12345678"),
    ODD("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
    ODD("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
};
enum { SHORT_ONES = sizeof(short_ones) / sizeof(short_ones[0]) };

static const size_t long_ones[] = {60,   63,   64,   65,    127,   128,   129,   200,   255,
                                   256,  257,  500,  511,   512,   513,   700,   1000,  1024,
                                   1500, 1984, 2000, 2047,  2048,  2049,  3000,  4000,  4096,
                                   4097, 8000, 9000, 16383, 16384, 20000, 40000, 100000};
enum { LONG_ONES = sizeof(long_ones) / sizeof(long_ones[0]) };

size_t odd_count(void) {
    return SHORT_ONES + LONG_ONES;
}

sc_bytes odd_bytes(size_t index) {
    static char *made[LONG_ONES];
    if (index < SHORT_ONES) return short_ones[index];
    index -= SHORT_ONES;
    if (!made[index]) {
        made[index] = malloc(long_ones[index]);
        fill_bytes(made[index], long_ones[index], index);
        memset(made[index], 'p', 20); /* so that they differ late */
    }
    return BYTES(made[index], long_ones[index]);
}
