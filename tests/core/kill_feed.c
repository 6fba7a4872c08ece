#include "kill_feed.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "feed.h"
#include "internal.h"
#include "ring.h"

void fed_open(fed *made, const segments *files, unsigned steps) {
    *made = (fed){.arena = segments_attach(files, true), .steps = steps};
    CHECK_STATUS(sc_feed_open(made->arena, &made->wish), SC_OK);
    CHECK_STATUS(sc_feed_want(made->wish, SC_FEED_WANT_CHANGES | SC_FEED_WANT_NEW), SC_OK);
    sc_ring_reader start;
    sc_ring_start(&made->arena->feed, &start);
    made->position = start.position;
    made->losses = start.losses;
    made->ring = segments_map(files->feed_fd, files->feed_bytes);
    for (int i = 0; i < 2; i++)
        made->pictures[i] = malloc(FED_BYTES);
    made->told = calloc(steps + 1, sizeof(*made->told));
}

void fed_close(fed *of) {
    if (!of->arena) return;
    for (unsigned i = 0; i <= of->steps; i++)
        free(of->told[i]);
    free(of->told);
    free(of->pictures[0]);
    free(of->pictures[1]);
    sc_feed_close(of->wish);
    sc_arena_detach(of->arena);
}

void fed_take_picture(const fed *of, bool wreck) {
    if (of->arena) memcpy(of->pictures[wreck], of->ring, FED_BYTES);
}

void fed_put_picture(const fed *of, bool wreck) {
    if (of->arena) memcpy(of->ring, of->pictures[wreck], FED_BYTES);
}

static bool write_down(void *context, const sc_feed_item *item) {
    FILE *to = context;
    fprintf(to, "%u:%.*s %s, ", item->db, (int)item->key_bytes, item->key,
            sc_event_name(item->event));
    return true;
}

/* Everything since the scene began. */
static char *listen(const fed *of) {
    char *line = NULL;
    size_t length;
    buffer got;
    uint64_t given = 0;
    sc_ring_reader reader = {.position = of->position, .losses = of->losses};
    FILE *to = open_memstream(&line, &length);
    buffer_init(&got);
    for (int status = SC_UNCHANGED; status != SC_MISS;) {
        status = sc_ring_read(&of->arena->feed, &reader, &got.sink);
        CHECK(status == SC_OK || status == SC_UNCHANGED || status == SC_MISS, "%s",
              sc_status_text(status));
        if (status != SC_OK) continue;
        CHECK_STATUS(sc_feed_give(got.bytes, got.length, write_down, to, &given), SC_OK);
    }
    fclose(to);
    buffer_free(&got);
    return line;
}

void fed_learn(fed *of, unsigned steps) {
    if (of->arena) of->told[steps] = listen(of);
}

void fed_judge(const fed *of, unsigned done, bool is_old, bool is_new) {
    if (!of->arena) return;
    char *line = listen(of);
    unsigned next = done < of->steps ? done + 1 : done;
    bool as_old = strcmp(line, of->told[done]) == 0, as_new = strcmp(line, of->told[next]) == 0;
    /* a step of several transactions, of which a reader sees nothing: some of them */
    bool between = is_old && is_new && strncmp(of->told[next], line, strlen(line)) == 0;
    CHECK((is_old && as_old) || (is_new && as_new) || between,
          "the arena is as %s the step, but told is \n  '%s', before \n  '%s' and after \n  '%s'",
          is_old && is_new ? "around"
          : is_old         ? "before"
                           : "after",
          line, of->told[done], of->told[next]);
    free(line);
}
