/* Leaves: see leaf.h for the interface, layout.h for the bytes. */
#include "leaf.h"

#include <stdlib.h>

#include "evict.h"
#include "heap.h"

/* ---- items ------------------------------------------------------------------------------------*/

/* A base-128 length at *at, which moves on; false when it does not end before `limit`. */
SC_HOT bool load_length(const uint8_t *base, uint32_t *at, uint32_t limit, uint64_t *length) {
    if (SC_UNLIKELY(*at >= limit)) return false;
    uint64_t byte = sc_load8(base + (*at)++);
    *length = byte & 0x7f;
    for (uint32_t shift = 7; SC_UNLIKELY(byte & 0x80); shift += 7) {
        if (*at >= limit || shift > 28) return false;
        byte = sc_load8(base + (*at)++);
        *length |= (byte & 0x7f) << shift;
    }
    return true;
}

SC_HOT bool load_part(const sc_leaf *leaf, uint32_t *at, uint64_t length, bool number, bool chained,
                      sc_part *part) {
    uint64_t bytes = chained ? 8 : length;
    *part = (sc_part){.at = leaf->base + *at,
                      .length = length,
                      .how = chained  ? SC_CHAINED
                             : number ? SC_NUMBER
                                      : SC_PLAIN};
    if (SC_UNLIKELY(bytes > leaf->head.limit - *at)) return false;
    *at += (uint32_t)bytes;
    return true;
}

static bool load_element(const sc_leaf *leaf, uint32_t index, sc_item *item) {
    uint32_t slot_index = sc_leaf_slot_index(leaf, index);
    item->slot = sc_leaf_slot(leaf, slot_index);
    item->at = item->slot & SC_ITEM_AT;
    uint32_t end = slot_index ? sc_leaf_slot(leaf, slot_index - 1) & SC_ITEM_AT : leaf->head.limit;
    if (SC_UNLIKELY(item->at > end || end > leaf->head.limit)) return false;
    item->bytes = end - item->at;
    item->value.length = 0;
    item->expire_ms = 0;
    bool chained = item->slot & SC_KEY_CHAIN;
    if (SC_UNLIKELY(chained && item->bytes != 16)) return false;
    item->key = (sc_part){.at = leaf->base + item->at + (chained ? 8 : 0),
                          .length = chained ? sc_bytes8(leaf->base + item->at) : item->bytes,
                          .how = chained                   ? SC_CHAINED
                                 : item->slot & SC_KEY_INT ? SC_NUMBER
                                                           : SC_PLAIN};
    return true;
}

SC_HOT bool load_item(const sc_leaf *leaf, uint32_t slot, sc_item *item) {
    uint32_t limit = leaf->head.limit, at = slot & SC_ITEM_AT;
    uint64_t key_length, value_length = 8;
    item->slot = slot;
    item->at = at;
    item->expire_ms = 0;
    if (!load_length(leaf->base, &at, limit, &key_length)) return false;
    if (leaf->head.values == SC_NO_VALUES) value_length = 0;
    if (leaf->head.values == SC_ANY_VALUES && !load_length(leaf->base, &at, limit, &value_length)) {
        return false;
    }
    if (!load_part(leaf, &at, key_length, slot & SC_KEY_INT, slot & SC_KEY_CHAIN, &item->key) ||
        !load_part(leaf, &at, value_length, slot & SC_VALUE_INT, slot & SC_VALUE_CHAIN,
                   &item->value)) {
        return false;
    }
    if (SC_UNLIKELY(slot & SC_ITEM_TTL)) {
        if (at + 8 > limit) return false;
        item->expire_ms = sc_bytes8(leaf->base + at);
        at += 8;
    }
    item->bytes = at - item->at;
    return true;
}

bool sc_item_load(const sc_leaf *leaf, uint32_t index, sc_item *item) {
    if (leaf->head.mode == SC_SEQUENCE) return load_element(leaf, index, item);
    return load_item(leaf, sc_leaf_slot(leaf, sc_leaf_slot_index(leaf, index)), item);
}

/* ---- finding ----------------------------------------------------------------------------------*/

#define SC_TAG_AND_INT (UINT32_C(0xffff0000) | SC_KEY_INT)

SC_HOT uint32_t wanted_slot(const sc_word *word) {
    return (uint32_t)word->hash << 16 | (word->number ? SC_KEY_INT : 0);
}

SC_HOT bool is_word(const sc_arena *arena, const sc_item *item, const sc_word *word) {
    if (item->key.length != word->length) return false;
    if (SC_UNLIKELY(item->key.how == SC_CHAINED)) {
        return sc_part_compare(arena, &item->key, (sc_bytes){word->bytes, word->length}) == 0;
    }
    return sc_equal(item->key.at, word->bytes, word->length);
}

int sc_leaf_find(const sc_arena *arena, const sc_leaf *leaf, const sc_word *word, sc_item *item) {
    uint32_t count = leaf->head.count, wanted = wanted_slot(word), index = 0;
#if defined(__SSE2__) && !defined(SC_TSAN)
    const __m128i mask = _mm_set1_epi32((int)SC_TAG_AND_INT), tag = _mm_set1_epi32((int)wanted);
    const uint8_t *slots = leaf->base + leaf->slots_at;
    for (; index + 4 <= count; index += 4) {
        __m128i four = _mm_loadu_si128((const __m128i *)(const void *)(slots + 4 * index));
        __m128i equal = _mm_cmpeq_epi32(_mm_and_si128(four, mask), tag);
        uint32_t matches = (uint32_t)_mm_movemask_ps(_mm_castsi128_ps(equal));
        for (; SC_UNLIKELY(matches); matches &= matches - 1) {
            uint32_t at = index + (uint32_t)__builtin_ctz(matches);
            if (load_item(leaf, sc_leaf_slot(leaf, at), item) && is_word(arena, item, word)) {
                return (int)at;
            }
        }
    }
#endif
    for (; index < count; index++) {
        uint32_t slot = sc_leaf_slot(leaf, index);
        if ((slot & SC_TAG_AND_INT) != wanted) continue;
        if (load_item(leaf, slot, item) && is_word(arena, item, word)) return (int)index;
    }
    return -1;
}

uint32_t sc_leaf_seek(const sc_arena *arena, const sc_leaf *leaf, sc_bytes key, bool *equal) {
    uint32_t least = 0, most = leaf->head.count;
    *equal = false;
    while (least < most) {
        sc_item item;
        uint32_t middle = (least + most) / 2;
        if (!load_item(leaf, sc_leaf_slot(leaf, middle), &item)) return least;
        int order = sc_part_compare(arena, &item.key, key);
        if (order < 0) {
            least = middle + 1;
        } else {
            most = middle;
            *equal |= order == 0;
        }
    }
    return least;
}

/* ---- building ---------------------------------------------------------------------------------*/

static uint32_t store_length(uint8_t *out, uint64_t length) {
    uint32_t at = 0;
    for (; length >= 0x80; length >>= 7)
        out[at++] = (uint8_t)(length | 0x80);
    out[at++] = (uint8_t)length;
    return at;
}

/* A part's bytes in place: itself, or the offset of its chain. */
static int store_part(sc_txn *txn, uint64_t owner_hash, const char *bytes, uint64_t length,
                      bool chained, uint8_t *out, uint32_t *at) {
    if (!chained) {
        if (length) memcpy(out + *at, bytes, length);
        *at += (uint32_t)length;
        return SC_OK;
    }
    uint64_t block = 0;
    int status = sc_chain_build(txn, owner_hash, bytes, length, &block);
    memcpy(out + *at, &block, 8);
    *at += 8;
    return status;
}

static int make_element(sc_txn *txn, const sc_form *form, uint64_t owner_hash, const sc_word *key,
                        sc_piece_room *room, sc_piece *piece) {
    uint32_t at = 0;
    bool chained = key->length > form->key_inline;
    if (chained) {
        memcpy(room->bytes, &key->length, 8);
        at = 8;
    }
    int status = store_part(txn, owner_hash, key->bytes, key->length, chained, room->bytes, &at);
    *piece = (sc_piece){.bytes = room->bytes,
                        .length = at,
                        .slot = (chained ? SC_KEY_CHAIN : 0) | (key->number ? SC_KEY_INT : 0)};
    return status;
}

int sc_piece_make(sc_txn *txn, const sc_form *form, uint64_t owner_hash, const sc_word *key,
                  const sc_bytes *value, uint64_t expire_ms, sc_piece_room *room, sc_piece *piece) {
    if (form->mode == SC_SEQUENCE) return make_element(txn, form, owner_hash, key, room, piece);
    uint8_t *out = room->bytes;
    sc_word held = {.length = 0};
    if (form->values != SC_NO_VALUES)
        held = (sc_word){.bytes = value->bytes, .length = value->length};
    if (form->values == SC_ANY_VALUES && form->mode == SC_HASHED) {
        sc_word_make(txn->writer->arena, &held, value->bytes, value->length, SC_SEQUENCE);
    }
    bool key_chained = key->length > form->key_inline;
    bool value_chained = held.length > form->value_inline;
    uint32_t slot = (key->number ? SC_KEY_INT : 0) | (held.number ? SC_VALUE_INT : 0) |
                    (key_chained ? SC_KEY_CHAIN : 0) | (value_chained ? SC_VALUE_CHAIN : 0) |
                    (expire_ms ? SC_ITEM_TTL : 0);
    if (form->mode == SC_HASHED) slot |= (uint32_t)key->hash << 16;
    uint32_t at = store_length(out, key->length);
    if (form->values == SC_ANY_VALUES) at += store_length(out + at, held.length);
    int status = store_part(txn, owner_hash, key->bytes, key->length, key_chained, out, &at);
    if (status == SC_OK && form->values != SC_NO_VALUES) {
        status = store_part(txn, owner_hash, held.bytes, held.length, value_chained, out, &at);
    }
    if (expire_ms) {
        memcpy(out + at, &expire_ms, 8);
        at += 8;
    }
    *piece = (sc_piece){.bytes = out, .length = at, .slot = slot};
    return status;
}

int sc_leaf_pieces(const sc_leaf *leaf, sc_piece *pieces) {
    for (uint32_t i = 0; i < leaf->head.count; i++) {
        sc_item item;
        if (!sc_item_load(leaf, i, &item)) return -1;
        pieces[i] = (sc_piece){.bytes = leaf->base + item.at,
                               .length = item.bytes,
                               .slot = item.slot & ~(uint32_t)SC_ITEM_AT};
    }
    return (int)leaf->head.count;
}

int sc_pieces_gather(const sc_leaf *leaf, uint32_t index, uint32_t removed, const sc_piece *added,
                     sc_pieces *out) {
    int count = sc_leaf_pieces(leaf, out->piece);
    if (count < 0 || index + removed > (uint32_t)count) return SC_CORRUPT;
    uint32_t rest = (uint32_t)count - index - removed, inserted = added ? 1 : 0;
    memmove(&out->piece[index + inserted], &out->piece[index + removed], rest * sizeof(sc_piece));
    if (added) out->piece[index] = *added;
    out->count = (uint32_t)count - removed + inserted;
    return SC_OK;
}

bool sc_piece_item(const sc_form *form, const sc_piece *piece, sc_item *item) {
    sc_leaf alone = {.base = piece->bytes,
                     .head = {.limit = piece->length, .mode = form->mode, .values = form->values}};
    return load_item(&alone, piece->slot & ~(uint32_t)SC_ITEM_AT, item);
}

uint32_t sc_pieces_bytes(const sc_piece *pieces, uint32_t count, uint32_t width) {
    uint32_t bytes = count * width;
    for (uint32_t i = 0; i < count; i++)
        bytes += pieces[i].length;
    return bytes;
}

static bool is_chained(const sc_piece *piece) {
    return piece->slot & (SC_KEY_CHAIN | SC_VALUE_CHAIN);
}

static void put_slot(uint8_t *base, uint32_t slots_at, uint32_t width, uint32_t index,
                     uint32_t slot) {
    sc_copy(base + slots_at + index * width, &slot, width); /* little-endian, as layout.h says */
}

void sc_leaf_write(sc_arena *arena, uint64_t offset, const sc_form *form, bool packed,
                   bool reversed, uint32_t capacity, uint64_t owner_hash, const sc_piece *pieces,
                   uint32_t count) {
    uint8_t *base = sc_at(arena, offset);
    uint32_t slots_at = sc_leaf_slots_at(packed), width = sc_slot_width(form->mode), low = capacity;
    bool chained = false;
    for (uint32_t i = 0; i < count; i++) {
        const sc_piece *piece = &pieces[reversed ? count - 1 - i : i];
        low -= piece->length;
        chained |= is_chained(piece);
        sc_copy(base + low, piece->bytes, piece->length);
        put_slot(base, slots_at, width, i, piece->slot | (low & SC_ITEM_AT));
    }
    if (!packed) sc_put64((uint64_t *)(void *)(base + 8), owner_hash);
    union {
        sc_leaf_head head;
        uint64_t word;
    } first = {.head = {.count = count,
                        .low = low,
                        .limit = capacity,
                        .kind = SC_KIND_LEAF,
                        .mode = form->mode,
                        .values = form->values,
                        .packed = packed,
                        .reversed = reversed,
                        .chained = chained}};
    sc_fill_fence();
    sc_put64((uint64_t *)(void *)base, first.word);
}

/* ---- in place ---------------------------------------------------------------------------------*/

int sc_txn_patch(sc_txn *txn, uint64_t offset, const void *bytes, uint32_t length) {
    sc_arena *arena = txn->writer->arena;
    uint64_t from = offset & ~UINT64_C(7), end = offset + length;
    if (!length) return SC_OK;
    int status = sc_txn_reserve(txn, (uint32_t)((end - from + 7) / 8));
    if (status != SC_OK) return status;
    for (uint64_t at = from; at < end; at += 8) {
        uint64_t word = *(uint64_t *)sc_at(arena, at);
        uint64_t start = at < offset ? offset : at, stop = at + 8 < end ? at + 8 : end;
        memcpy((char *)&word + (start - at), (const char *)bytes + (start - offset), stop - start);
        sc_txn_store64(txn, sc_at(arena, at), word);
    }
    return SC_OK;
}

static int store_head(sc_txn *txn, const sc_leaf *leaf, sc_leaf_head head) {
    union {
        sc_leaf_head head;
        uint64_t word;
    } first = {.head = head};
    int status = sc_txn_reserve(txn, 1);
    if (status == SC_OK) {
        sc_txn_store64(txn, sc_at(txn->writer->arena, leaf->offset), first.word);
    }
    return status;
}

/* Which slot an element pushed at either end gets; UINT32_MAX when it would have to shift others,
 * or removed ones lie where its bytes belong. */
static uint32_t end_slot(const sc_leaf *leaf, uint32_t index) {
    const sc_leaf_head *head = &leaf->head;
    bool at_end = index == (head->reversed ? 0 : head->count);
    uint32_t next = head->first + head->count;
    if (!at_end) return UINT32_MAX;
    uint32_t lowest = next ? sc_leaf_slot(leaf, next - 1) & SC_ITEM_AT : head->limit;
    return lowest == head->low ? next : UINT32_MAX;
}

bool sc_leaf_has_room(const sc_leaf *leaf, uint32_t index, const sc_piece *piece) {
    uint32_t slots_end =
        leaf->slots_at + (uint32_t)(leaf->head.first + leaf->head.count + 1) * leaf->width;
    if (slots_end + piece->length > leaf->head.low) return false;
    if (leaf->head.count + 1 >= SC_LEAF_ITEMS) return false;
    return leaf->head.mode != SC_SEQUENCE || end_slot(leaf, index) != UINT32_MAX;
}

uint32_t sc_leaf_stretched(const sc_leaf *leaf, uint32_t index, const sc_piece *piece) {
    const sc_leaf_head *head = &leaf->head;
    if (head->count + 1 >= SC_LEAF_ITEMS || head->first) return 0;
    if (head->mode == SC_SEQUENCE && end_slot(leaf, index) == UINT32_MAX) return 0;
    return leaf->slots_at + (head->count + 1) * leaf->width + head->limit - head->low +
           piece->length;
}

void sc_leaf_stretch(sc_arena *arena, const sc_leaf *leaf, uint64_t offset, uint32_t capacity,
                     uint64_t owner_hash) {
    union {
        sc_leaf_head head;
        uint64_t word;
    } first = {.head = leaf->head};
    uint8_t *base = sc_at(arena, offset);
    uint32_t shift = capacity - leaf->head.limit, slots = leaf->head.count * leaf->width;
    first.head.limit = capacity;
    first.head.low = leaf->head.low + shift;
    sc_copy(base + first.head.low, leaf->base + leaf->head.low, leaf->head.limit - leaf->head.low);
    uint8_t moved[SC_LEAF_MOST];
    memcpy(moved, leaf->base + leaf->slots_at, slots);
    for (uint32_t at = 0; at < slots; at += leaf->width) { /* the place is in the low half */
        uint16_t slot;
        memcpy(&slot, moved + at, sizeof slot);
        slot = (uint16_t)(slot + shift);
        memcpy(moved + at, &slot, sizeof slot);
    }
    sc_copy(base + leaf->slots_at, moved, slots);
    if (!leaf->head.packed) sc_put64((uint64_t *)(void *)(base + 8), owner_hash);
    sc_fill_fence();
    sc_put64((uint64_t *)(void *)base, first.word);
}

/* Write slots [index, count) anew, the first of them `slot`: the others move up by one. */
static int shift_in(sc_txn *txn, const sc_leaf *leaf, uint32_t index, uint32_t slot) {
    uint8_t slots[SC_LEAF_MOST + 8];
    uint32_t width = leaf->width, moved = (leaf->head.count - index) * width;
    uint32_t at = leaf->slots_at + (leaf->head.first + index) * width;
    memcpy(slots, &slot, width);
    memcpy(slots + width, leaf->base + at, moved);
    return sc_txn_patch(txn, leaf->offset + at, slots, moved + width);
}

int sc_leaf_insert(sc_txn *txn, const sc_leaf *leaf, uint32_t index, const sc_piece *piece) {
    if (!sc_leaf_has_room(leaf, index, piece)) return SC_UNCHANGED;
    sc_leaf_head head = leaf->head;
    head.low -= piece->length;
    head.count++;
    head.chained |= is_chained(piece);
    sc_copy((uint8_t *)sc_at(txn->writer->arena, leaf->offset + head.low), piece->bytes,
            piece->length);
    uint32_t slot = piece->slot | ((uint32_t)head.low & SC_ITEM_AT);
    int status;
    if (head.mode == SC_SEQUENCE) {
        uint64_t at = leaf->offset + leaf->slots_at + end_slot(leaf, index) * leaf->width;
        status = sc_txn_patch(txn, at, &slot, leaf->width);
    } else {
        status = shift_in(txn, leaf, index, slot);
    }
    return status == SC_OK ? store_head(txn, leaf, head) : status;
}

int sc_leaf_replace(sc_txn *txn, const sc_leaf *leaf, uint32_t index, const sc_piece *piece) {
    sc_item item;
    if (!sc_item_load(leaf, index, &item)) return SC_CORRUPT;
    sc_leaf_head head = leaf->head;
    uint64_t slot_at =
        leaf->offset + leaf->slots_at + sc_leaf_slot_index(leaf, index) * leaf->width;
    if (item.bytes == piece->length && !is_chained(piece)) {
        uint32_t slot = piece->slot | item.at;
        int status = sc_txn_patch(txn, leaf->offset + item.at, piece->bytes, piece->length);
        if (status != SC_OK || slot == item.slot) return status;
        return sc_txn_patch(txn, slot_at, &slot, leaf->width);
    }
    uint32_t slots_end = leaf->slots_at + (uint32_t)(head.first + head.count) * leaf->width;
    if (head.mode == SC_SEQUENCE || slots_end + piece->length > head.low) return SC_UNCHANGED;
    head.low -= piece->length;
    head.chained |= is_chained(piece);
    sc_copy((uint8_t *)sc_at(txn->writer->arena, leaf->offset + head.low), piece->bytes,
            piece->length);
    uint32_t slot = piece->slot | ((uint32_t)head.low & SC_ITEM_AT);
    int status = sc_txn_patch(txn, slot_at, &slot, leaf->width);
    return status == SC_OK ? store_head(txn, leaf, head) : status;
}

/* Slots that fall free are logged as well: the bytes of the next item, which are not, may come to
 * lie there. */
static int shift_out(sc_txn *txn, const sc_leaf *leaf, uint32_t slot_index, uint32_t count) {
    uint8_t slots[SC_LEAF_MOST + 8];
    uint32_t at = leaf->slots_at + slot_index * leaf->width, gap = count * leaf->width;
    uint32_t end = leaf->slots_at + (uint32_t)(leaf->head.first + leaf->head.count) * leaf->width;
    memcpy(slots, leaf->base + at + gap, end - at - gap);
    memset(slots + (end - at - gap), 0, gap);
    return sc_txn_patch(txn, leaf->offset + at, slots, end - at);
}

int sc_leaf_erase(sc_txn *txn, const sc_leaf *leaf, uint32_t index, uint32_t count) {
    sc_leaf_head head = leaf->head;
    uint32_t slot_index = sc_leaf_slot_index(leaf, head.reversed ? index + count - 1 : index);
    int status = SC_OK;
    if (head.mode == SC_SEQUENCE && slot_index == head.first) {
        head.first += count; /* the last of their slots tells where the next element ends */
    } else if (head.mode == SC_SEQUENCE &&
               slot_index + count != (uint32_t)head.first + head.count) {
        return SC_UNCHANGED;
    } else {
        status = shift_out(txn, leaf, slot_index, count);
    }
    head.count -= count;
    return status == SC_OK ? store_head(txn, leaf, head) : status;
}

int sc_item_free_chains(sc_txn *txn, const sc_item *item) {
    int status = sc_txn_reserve(txn, 2);
    if (status != SC_OK) return status;
    if (item->slot & SC_KEY_CHAIN) sc_txn_free_chain(txn, sc_bytes8(item->key.at));
    if (item->slot & SC_VALUE_CHAIN) sc_txn_free_chain(txn, sc_bytes8(item->value.at));
    return SC_OK;
}

int sc_leaf_free_chains(sc_txn *txn, const sc_leaf *leaf, uint32_t index, uint32_t count) {
    for (uint32_t i = index; leaf->head.chained && i < index + count; i++) {
        sc_item item;
        if (!sc_item_load(leaf, i, &item)) return SC_CORRUPT;
        int status = sc_item_free_chains(txn, &item);
        if (status != SC_OK) return status;
    }
    return SC_OK;
}
