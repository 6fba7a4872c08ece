#include "boxes.h"

#include <stdarg.h>
#include <stdlib.h>

/* ---- what a read gave -------------------------------------------------------------------------*/

static char *gathered_add(sc_items *items, size_t length) {
    gathered *to = (gathered *)(void *)items;
    if (to->count >= to->most) return NULL;
    CHECK(length <= to->longest, "an item of %zu bytes", length);
    if (to->count == to->room) {
        to->room = to->room * 2 + 16;
        to->piece = realloc(to->piece, to->room * sizeof(*to->piece));
        CHECK(to->piece != NULL);
    }
    piece *made = &to->piece[to->count++];
    *made = (piece){.bytes = malloc(length ? length : 1), .length = length};
    CHECK(made->bytes != NULL);
    return made->bytes;
}

static bool gathered_score(sc_items *items, double score) {
    gathered *to = (gathered *)(void *)items;
    CHECK(to->count > 0, "a score before its member");
    to->piece[to->count - 1].score = score;
    to->piece[to->count - 1].scored = true;
    return to->count < to->most;
}

void gathered_init(gathered *to) {
    *to = (gathered){.items = {.add = gathered_add, .score = gathered_score},
                     .most = SIZE_MAX,
                     .longest = SIZE_MAX};
}

void gathered_reset(gathered *to) {
    for (size_t i = 0; i < to->count; i++)
        free(to->piece[i].bytes);
    to->count = 0;
}

void gathered_free(gathered *to) {
    gathered_reset(to);
    free(to->piece);
    to->piece = NULL;
    to->room = 0;
}

bool piece_is(const piece *it, const void *bytes, size_t length) {
    return it->length == length && (length == 0 || memcmp(it->bytes, bytes, length) == 0);
}

void check_piece(const gathered *of, size_t index, const char *text) {
    CHECK(index < of->count, "%zu of %zu, '%s'", index, of->count, text);
    const piece *it = &of->piece[index];
    CHECK(piece_is(it, text, strlen(text)), "item %zu is '%.*s', not '%s'", index, (int)it->length,
          it->bytes, text);
}

void check_pieces(const gathered *of, const char *first, ...) {
    va_list more;
    size_t count = 0;
    va_start(more, first);
    for (const char *text = first; text; text = va_arg(more, const char *))
        check_piece(of, count++, text);
    va_end(more);
    CHECK(of->count == count, "%zu items, not %zu", of->count, count);
}

/* ---- rows -------------------------------------------------------------------------------------*/

static char *own_bytes(sc_bytes bytes) {
    char *own = malloc(bytes.length + 1);
    CHECK(own != NULL);
    if (bytes.length) memcpy(own, bytes.bytes, bytes.length);
    own[bytes.length] = '\0';
    return own;
}

int compare_bytes(sc_bytes left, sc_bytes right) {
    size_t shorter = left.length < right.length ? left.length : right.length;
    int order = shorter ? memcmp(left.bytes, right.bytes, shorter) : 0;
    if (order) return order;
    return left.length < right.length ? -1 : left.length > right.length;
}

size_t row_find(const row *in, sc_bytes name) {
    for (size_t i = 0; i < in->count; i++) {
        if (compare_bytes(cell_name(&in->cells[i]), name) == 0) return i;
    }
    return SIZE_MAX;
}

size_t row_place(const row *in, sc_bytes name, bool *there) {
    size_t low = 0, high = in->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare_bytes(cell_name(&in->cells[middle]), name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *there = low < in->count && compare_bytes(cell_name(&in->cells[low]), name) == 0;
    return low;
}

size_t row_place_scored(const row *in, double score, sc_bytes name) {
    size_t at = 0;
    while (at < in->count &&
           (in->cells[at].score < score ||
            (in->cells[at].score == score && compare_bytes(cell_name(&in->cells[at]), name) < 0)))
        at++;
    return at;
}

void row_insert(row *in, size_t at, sc_bytes name, sc_bytes value) {
    CHECK(at <= in->count);
    if (in->count == in->room) {
        in->room = in->room * 2 + 8;
        in->cells = realloc(in->cells, in->room * sizeof(*in->cells));
        CHECK(in->cells != NULL);
    }
    if (at < in->count)
        memmove(in->cells + at + 1, in->cells + at, (in->count - at) * sizeof(*in->cells));
    in->count++;
    in->cells[at] = (cell){.name = own_bytes(name),
                           .name_length = name.length,
                           .value = own_bytes(value),
                           .value_length = value.length};
}

void row_remove(row *in, size_t at, size_t count) {
    CHECK(at + count <= in->count);
    if (!count) return;
    for (size_t i = at; i < at + count; i++) {
        free(in->cells[i].name);
        free(in->cells[i].value);
    }
    memmove(in->cells + at, in->cells + at + count, (in->count - at - count) * sizeof(*in->cells));
    in->count -= count;
}

void cell_set_value(cell *of, sc_bytes value) {
    char *own = own_bytes(value);
    free(of->value);
    of->value = own;
    of->value_length = value.length;
}

/* ---- boxes ------------------------------------------------------------------------------------*/

void box_clear(box *of) {
    for (int i = 0; i < SC_STREAM_TREES; i++) {
        row_remove(&of->rows[i], 0, of->rows[i].count);
        free(of->rows[i].cells);
    }
    *of = (box){.present = false};
}

void box_make(box *of, int type) {
    box_clear(of);
    of->present = true;
    of->type = type;
}

box box_copy(const box *of) {
    box copy = {.present = of->present, .type = of->type, .expire_ms = of->expire_ms};
    memcpy(copy.meta, of->meta, sizeof(copy.meta));
    for (int i = 0; i < SC_STREAM_TREES; i++) {
        for (size_t j = 0; j < of->rows[i].count; j++) {
            const cell *from = &of->rows[i].cells[j];
            row_insert(&copy.rows[i], j, cell_name(from), BYTES(from->value, from->value_length));
            copy.rows[i].cells[j].score = from->score;
            copy.rows[i].cells[j].expire_ms = from->expire_ms;
        }
    }
    return copy;
}

/* ---- comparing --------------------------------------------------------------------------------*/

typedef struct comparison {
    sc_session *session;
    const sc_key *key;
    const box *with;
    gathered got;
    buffer one;
} comparison;

#define MUST(call) check_status(__FILE__, __LINE__, #call, (call), SC_OK)

static void compare_map(comparison *at) {
    const box *with = at->with;
    const row *row = &with->rows[0];
    bool hash = with->type == SC_HASH, scored = with->type == SC_ZSET;
    uint32_t what = with->type == SC_SET ? SC_FIELDS : SC_FIELDS | SC_VALUES;
    MUST(sc_map_all(at->session, at->key, with->type, what, &at->got.items));
    size_t width = hash ? 2 : 1;
    CHECK(at->got.count == row->count * width, "%zu items, not %zu", at->got.count,
          row->count * width);
    for (size_t i = 0; i < at->got.count; i += width) {
        const piece *name = &at->got.piece[i];
        size_t found = row_find(row, BYTES(name->bytes, name->length));
        CHECK(found != SIZE_MAX, "'%.*s' is not in it", (int)name->length, name->bytes);
        const cell *cell = &row->cells[found];
        CHECK(name->scored == scored && (!scored || name->score == cell->score), "%.17g not %.17g",
              name->score, cell->score);
        CHECK(!hash || piece_is(&name[1], cell->value, cell->value_length), "value of '%.*s'",
              (int)name->length, name->bytes);
    }
    /* As many as there are names, and each of these is found: so none was given twice. */
    for (size_t i = 0; i < row->count; i++) {
        const cell *cell = &row->cells[i];
        MUST(sc_map_find(at->session, at->key, with->type, cell_name(cell), &at->one.sink));
        CHECK(!hash || buffer_is(&at->one, cell->value, cell->value_length), "value of '%s'",
              cell->name);
        uint64_t expire_ms = 0;
        if (hash) MUST(sc_map_expiry(at->session, at->key, cell_name(cell), &expire_ms));
        CHECK(expire_ms == cell->expire_ms, "'%s' dies %llu", cell->name,
              (unsigned long long)expire_ms);
    }
}

static void compare_list(comparison *at) {
    const row *row = &at->with->rows[0];
    MUST(sc_list_range(at->session, at->key, 0, -1, &at->got.items));
    CHECK(at->got.count == row->count, "%zu elements, not %zu", at->got.count, row->count);
    for (size_t i = 0; i < row->count; i++) {
        const cell *cell = &row->cells[i];
        CHECK(piece_is(&at->got.piece[i], cell->name, cell->name_length),
              "element %zu is '%.*s', not '%s'", i, (int)at->got.piece[i].length,
              at->got.piece[i].bytes, cell->name);
        int64_t index = i % 2 ? (int64_t)i : (int64_t)i - (int64_t)row->count;
        MUST(sc_list_at(at->session, at->key, index, &at->one.sink));
        CHECK(buffer_is(&at->one, cell->name, cell->name_length), "element %zu", i);
    }
}

static void compare_zset(comparison *at) {
    const row *row = &at->with->rows[0];
    gathered_reset(&at->got);
    MUST(sc_zset_range(at->session, at->key, 0, UINT64_MAX, false, SC_FIELDS | SC_VALUES,
                       &at->got.items));
    CHECK(at->got.count == row->count, "%zu members, not %zu", at->got.count, row->count);
    for (size_t i = 0; i < row->count; i++) {
        const cell *cell = &row->cells[i];
        const piece *piece = &at->got.piece[i];
        CHECK(piece_is(piece, cell->name, cell->name_length) && piece->scored &&
                  piece->score == cell->score,
              "rank %zu is '%.*s' %.17g, not '%s' %.17g", i, (int)piece->length, piece->bytes,
              piece->score, cell->name, cell->score);
        uint64_t rank = 0;
        double score = 0, alone = 0;
        MUST(sc_zset_rank(at->session, at->key, cell_name(cell), &rank, &score));
        CHECK(rank == i && score == cell->score, "'%s' has rank %llu, not %zu", cell->name,
              (unsigned long long)rank, i);
        MUST(sc_zset_score(at->session, at->key, cell_name(cell), &alone));
        CHECK(alone == cell->score, "'%s' has score %.17g", cell->name, alone);
    }
}

static void compare_tree(comparison *at, uint32_t tree) {
    static char most[10000]; /* longer than any name */
    memset(most, 0xff, sizeof(most));
    const row *row = &at->with->rows[tree];
    gathered_reset(&at->got);
    MUST(sc_tree_range(at->session, at->key, tree, bytes_of(""), BYTES(most, sizeof(most)),
                       UINT64_MAX, false, &at->got.items));
    CHECK(at->got.count == row->count * 2, "tree %u: %zu items, not %zu", tree, at->got.count,
          row->count * 2);
    for (size_t i = 0; i < row->count; i++) {
        const cell *cell = &row->cells[i];
        CHECK(piece_is(&at->got.piece[2 * i], cell->name, cell->name_length) &&
                  piece_is(&at->got.piece[2 * i + 1], cell->value, cell->value_length),
              "tree %u, pair %zu", tree, i);
        MUST(sc_tree_get(at->session, at->key, tree, cell_name(cell), &at->one.sink));
        CHECK(buffer_is(&at->one, cell->value, cell->value_length), "tree %u, pair %zu", tree, i);
    }
}

static void compare_stream(comparison *at) {
    char meta[SC_STREAM_META];
    MUST(sc_stream_meta(at->session, at->key, meta));
    CHECK(memcmp(meta, at->with->meta, sizeof(meta)) == 0, "what lies beside the trees");
    for (uint32_t tree = 0; tree < SC_STREAM_TREES; tree++)
        compare_tree(at, tree);
}

void box_compare(sc_session *session, const sc_key *key, const box *with) {
    comparison at = {.session = session, .key = key, .with = with};
    uint64_t length = 0;
    if (!with->present || with->type == SC_STRING) {
        int want = with->present ? SC_WRONG_TYPE : SC_MISS;
        for (int type = SC_LIST; type < SC_TYPES; type++)
            CHECK_STATUS(sc_length(session, key, type, &length), want);
        return;
    }
    MUST(sc_length(session, key, with->type, &length));
    CHECK(length == with->rows[0].count, "length %llu, not %zu", (unsigned long long)length,
          with->rows[0].count);
    gathered_init(&at.got);
    buffer_init(&at.one);
    if (with->type == SC_LIST)
        compare_list(&at);
    else if (with->type == SC_STREAM)
        compare_stream(&at);
    else
        compare_map(&at);
    if (with->type == SC_ZSET) compare_zset(&at);
    gathered_free(&at.got);
    buffer_free(&at.one);
}
