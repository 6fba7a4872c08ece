/* The baskets test: lists and streams. */
#include <stdlib.h>

#include "baskets.h"

static row *cells_of(hand *at) {
    return &at->model->what.rows[0];
}

/* ---- lists ------------------------------------------------------------------------------------*/

static void push(hand *at) {
    sc_bytes element = pick_bytes(at->of);
    bool left = choose(&at->of->pick, 2), must_exist = choose(&at->of->pick, 8) == 0;
    uint64_t length = 0;
    int want = expected(at, SC_LIST);
    if (want == SC_MISS && !must_exist) want = SC_OK;
    int status = sc_list_push(at->tx, &at->key, element, left, must_exist, &length);
    if (was_refused(at, status)) return;
    if (status != want) complain(at, "push", status, want);
    if (status != SC_OK) return;
    if (!at->model->what.present) box_make(&at->model->what, SC_LIST);
    row_insert(cells_of(at), left ? 0 : cells_of(at)->count, element, bytes_of(""));
    CHECK(length == cells_of(at)->count, "length %llu", (unsigned long long)length);
}

static void pop(hand *at) {
    bool left = choose(&at->of->pick, 2);
    int want = expected(at, SC_LIST);
    int status = sc_list_pop(at->tx, &at->key, left, &at->of->got.sink);
    if (was_refused(at, status)) return;
    if (status != want) complain(at, "pop", status, want);
    if (status != SC_OK) return;
    size_t index = left ? 0 : cells_of(at)->count - 1;
    const cell *cell = &cells_of(at)->cells[index];
    CHECK(buffer_is(&at->of->got, cell->name, cell->name_length), "popped '%s', not '%s'",
          at->of->got.bytes, cell->name);
    row_remove(cells_of(at), index, 1);
    drop_if_empty(at);
}

static void replace_or_insert(hand *at, bool insert) {
    sc_bytes element = pick_bytes(at->of);
    size_t have = cells_of(at)->count;
    uint64_t index = choose(&at->of->pick, have + 2);
    int want = expected(at, SC_LIST);
    if (want == SC_OK && index >= have + insert) want = SC_MISS;
    int status = insert ? sc_list_insert(at->tx, &at->key, index, element)
                        : sc_list_replace(at->tx, &at->key, index, element);
    if (was_refused(at, status)) return;
    if (status != want) complain(at, insert ? "insert" : "replace", status, want);
    if (status != SC_OK) return;
    row_insert(cells_of(at), index, element, bytes_of(""));
    if (!insert) row_remove(cells_of(at), index + 1, 1);
}

static void remove_some(hand *at) {
    size_t have = cells_of(at)->count;
    uint64_t index = choose(&at->of->pick, have + 2), count = choose(&at->of->pick, 12);
    if (choose(&at->of->pick, 12) == 0) count = choose(&at->of->pick, 2) ? UINT64_MAX : have / 2;
    int want = expected(at, SC_LIST);
    if (want == SC_OK && index >= have) want = SC_MISS;
    int status = sc_list_remove(at->tx, &at->key, index, count);
    if (was_refused(at, status)) return;
    if (status != want) complain(at, "list_remove", status, want);
    if (status != SC_OK) return;
    row_remove(cells_of(at), index, count < have - index ? count : have - index);
    drop_if_empty(at);
}

void list_operation(hand *at) {
    uint64_t kind = choose(&at->of->pick, 16);
    if (kind < 8)
        push(at);
    else if (kind < 11)
        pop(at);
    else if (kind < 15)
        replace_or_insert(at, kind % 2);
    else
        remove_some(at);
}

void list_reading(hand *at) {
    int64_t have = (int64_t)cells_of(at)->count;
    int64_t index = (int64_t)choose(&at->of->pick, (uint64_t)(2 * have + 3)) - have - 1;
    int64_t from = index < 0 ? index + have : index, to = from;
    int want = expected(at, SC_LIST), status;
    gathered_reset(&at->of->all);
    if (choose(&at->of->pick, 2)) {
        if (want == SC_OK && (from < 0 || from >= have)) want = SC_MISS;
        status = !at->tx && choose(&at->of->pick, 2)
                     ? find_hinted(at, SC_LIST, bytes_of(""), index, NULL)
                     : sc_list_at(at->session, &at->key, index, &at->of->got.sink);
        if (status != want) complain(at, "list_at", status, want);
        if (status != SC_OK) return;
        const cell *cell = &cells_of(at)->cells[from];
        CHECK(buffer_is(&at->of->got, cell->name, cell->name_length), "element %lld",
              (long long)index);
        return;
    }
    to = from + (int64_t)choose(&at->of->pick, 40);
    if (from < 0) from = 0;
    status = sc_list_range(at->session, &at->key, from, to, &at->of->all.items);
    if (status != want) complain(at, "list_range", status, want);
    if (status != SC_OK) return;
    for (size_t i = 0; i < at->of->all.count; i++) {
        CHECK((size_t)from + i < (size_t)have, "beyond the end");
        const cell *cell = &cells_of(at)->cells[(size_t)from + i];
        CHECK(piece_is(&at->of->all.piece[i], cell->name, cell->name_length), "element %zu", i);
    }
    int64_t most = to < 0 ? 0 : (to < have ? to + 1 : have) - from;
    CHECK(to < 0 || at->of->all.count == (size_t)(most < 0 ? 0 : most), "%zu elements",
          at->of->all.count);
}

/* ---- streams ----------------------------------------------------------------------------------*/

static row *pick_tree(hand *at, uint32_t *tree) {
    *tree = choose(&at->of->pick, 2) ? 0 : (uint32_t)choose(&at->of->pick, SC_STREAM_TREES);
    return &at->model->what.rows[*tree];
}

static void tree_put(hand *at) {
    uint32_t tree;
    row *row = pick_tree(at, &tree);
    sc_bytes name = pick_name(at->of), value = pick_bytes(at->of);
    int want = expected(at, SC_STREAM);
    bool added = false, there = false;
    size_t place = want == SC_OK ? row_place(row, name, &there) : 0;
    int status = sc_tree_put(at->tx, &at->key, tree, name, value, &added);
    if (was_refused(at, status)) return;
    if (status != want) complain(at, "tree_put", status, want);
    if (status != SC_OK) return;
    CHECK(added == !there, "tree_put: added %d", added);
    if (there)
        cell_set_value(&row->cells[place], value);
    else
        row_insert(row, place, name, value);
}

static void tree_remove(hand *at) {
    uint32_t tree;
    row *row = pick_tree(at, &tree);
    sc_bytes name = pick_name(at->of);
    if (row->count && choose(&at->of->pick, 3))
        name = cell_name(&row->cells[choose(&at->of->pick, row->count)]);
    int want = expected(at, SC_STREAM);
    bool there = false;
    size_t place = want == SC_OK ? row_place(row, name, &there) : 0;
    if (want == SC_OK && !there) want = SC_MISS;
    int status = sc_tree_remove(at->tx, &at->key, tree, name);
    if (was_refused(at, status)) return;
    if (status != want) complain(at, "tree_remove", status, want);
    if (status == SC_OK) row_remove(row, place, 1);
}

/* Two names; where what lies between them begins, and how much that is. */
static size_t pick_part(hand *at, const row *row, char least[600], sc_bytes *from_name,
                        sc_bytes *to_name, size_t *from) {
    sc_bytes picked = pick_name(at->of);
    bool there;
    if (picked.length > 600) picked.length = 600;
    memcpy(least, picked.bytes, picked.length);
    *from_name = BYTES(least, picked.length);
    *to_name = pick_name(at->of);
    *from = row_place(row, *from_name, &there);
    size_t to = row_place(row, *to_name, &there);
    if (there) to++;
    return to > *from ? to - *from : 0;
}

static void tree_remove_range(hand *at) {
    uint32_t tree;
    row *row = pick_tree(at, &tree);
    char room[600];
    sc_bytes least, most;
    uint64_t limit = choose(&at->of->pick, 4) ? choose(&at->of->pick, 15) : UINT64_MAX, removed = 0;
    size_t from, part = pick_part(at, row, room, &least, &most, &from);
    int want = expected(at, SC_STREAM);
    int status = sc_tree_remove_range(at->tx, &at->key, tree, least, most, limit, &removed);
    if (was_refused(at, status)) return;
    if (status != want) complain(at, "tree_remove_range", status, want);
    if (status != SC_OK) return;
    if (part > limit) part = limit;
    CHECK(removed == part, "removed %llu of %zu", (unsigned long long)removed, part);
    row_remove(row, from, part);
}

static void set_meta(hand *at) {
    char meta[SC_STREAM_META];
    fill_bytes(meta, sizeof(meta), choose(&at->of->pick, 1000));
    int want = expected(at, SC_STREAM);
    int status = sc_stream_set_meta(at->tx, &at->key, meta);
    if (was_refused(at, status)) return;
    if (status != want) complain(at, "set_meta", status, want);
    if (status == SC_OK) memcpy(at->model->what.meta, meta, sizeof(meta));
}

static void create(hand *at) {
    char meta[SC_STREAM_META];
    fill_bytes(meta, sizeof(meta), choose(&at->of->pick, 1000));
    int want = expected(at, SC_STREAM);
    want = want == SC_MISS ? SC_OK : want == SC_OK ? SC_UNCHANGED : want;
    int status = sc_stream_create(at->tx, &at->key, meta);
    if (was_refused(at, status)) return;
    if (status != want) complain(at, "stream_create", status, want);
    if (status != SC_OK) return;
    box_make(&at->model->what, SC_STREAM);
    memcpy(at->model->what.meta, meta, sizeof(meta));
}

void stream_operation(hand *at) {
    uint64_t kind = choose(&at->of->pick, 16);
    if (!at->model->what.present || kind == 15)
        create(at);
    else if (kind < 9)
        tree_put(at);
    else if (kind < 12)
        tree_remove(at);
    else if (kind < 14)
        tree_remove_range(at);
    else
        set_meta(at);
}

void stream_reading(hand *at) {
    uint32_t tree;
    row *row = pick_tree(at, &tree);
    char room[600];
    sc_bytes least, most;
    size_t from, part = pick_part(at, row, room, &least, &most, &from);
    uint64_t limit = choose(&at->of->pick, 2) ? choose(&at->of->pick, 30) : UINT64_MAX, count = 0;
    bool reverse = choose(&at->of->pick, 2);
    int want = expected(at, SC_STREAM);
    gathered_reset(&at->of->all);
    int status = sc_tree_count(at->session, &at->key, tree, least, most, &count);
    if (status != want) complain(at, "tree_count", status, want);
    status =
        sc_tree_range(at->session, &at->key, tree, least, most, limit, reverse, &at->of->all.items);
    if (status != want) complain(at, "tree_range", status, want);
    if (status != SC_OK) return;
    CHECK(count == part, "%llu between them, not %zu", (unsigned long long)count, part);
    size_t give = part < limit ? part : limit;
    CHECK(at->of->all.count == 2 * give, "%zu of %zu", at->of->all.count, 2 * give);
    for (size_t i = 0; i < give; i++) {
        const cell *cell = &row->cells[reverse ? from + part - 1 - i : from + i];
        CHECK(piece_is(&at->of->all.piece[2 * i], cell->name, cell->name_length), "name %zu", i);
        CHECK(piece_is(&at->of->all.piece[2 * i + 1], cell->value, cell->value_length), "value %zu",
              i);
    }
}
