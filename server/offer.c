// SPDX-License-Identifier: MPL-2.0
// offer.c has what a server tells of itself: attributes as the application writes them, checked
// at once, and handed to the engine in stored form.
#include "server/server_inner.h"

#include <stdlib.h>
#include <string.h>

// Room for one attribute: its key, a value of many members, and what is packed around them.
#define BLOCK_MAX_BYTES LIMIT_OFFER_MAX_BYTES

static struct offered *
find (struct baton_server *self, const char *key)
{
    for (uint32_t i = 0; i < self->attributes_count; i++) {
        struct baton_bytes have = self->attributes[i].attribute.key;
        if (have.size == strlen (key) && memcmp (have.data, key, have.size) == 0)
            return &self->attributes[i];
    }
    return NULL;
}

static void
take_back (struct baton_server *self, const char *key)
{
    struct offered *found = find (self, key);
    if (!found) return;

    free (found->block);
    *found = self->attributes[--self->attributes_count];
    self->offer_changed = true;
}

// Joins "key=value", as attribute_parse_text reads it.
static char *
join (const char *key, const char *value)
{
    size_t key_bytes = strlen (key);
    size_t value_bytes = strlen (value);
    char *text = malloc (key_bytes + value_bytes + 2);
    if (!text) return NULL;

    memcpy (text, key, key_bytes);
    text[key_bytes] = '=';
    memcpy (text + key_bytes + 1, value, value_bytes + 1);
    return text;
}

static enum baton_err
parse (struct baton_server *self, const char *text, struct offered *made)
{
    made->block = malloc (BLOCK_MAX_BYTES);
    if (!made->block) return BATON_NO_MEMORY;

    struct pack pack;
    struct text_fault fault;
    pack_init (&pack, made->block, BLOCK_MAX_BYTES);
    enum baton_err err = attribute_parse_text ((struct baton_bytes) {text, strlen (text)}, &pack,
                                               &made->attribute, &fault);
    if (err) {
        handle_say (&self->handle, fault.sentence, text);
        free (made->block);
    }
    return err;
}

// Encodes what is offered into [data]; says what is wrong with the whole of it.
static enum baton_err
encode (struct baton_server *self, const struct attribute *items, uint32_t count, void *data,
        size_t *size)
{
    struct attributes attributes = {items, count};
    uint32_t wrong_index = 0;
    const char *wrong = attributes_check (&attributes, &wrong_index);
    if (wrong) {
        handle_say (&self->handle, wrong, NULL);
        return BATON_BAD_ARGUMENT;
    }
    return attributes_encode (&attributes, data, LIMIT_OFFER_MAX_BYTES, size);
}

// Whether the attributes with [made] among them are a good offer.
static enum baton_err
check_with (struct baton_server *self, const struct offered *made, const struct offered *old)
{
    struct attribute items[LIMIT_ATTRIBUTES_MAX_COUNT];
    uint32_t count = 0;
    if (!old && self->attributes_count == LIMIT_ATTRIBUTES_MAX_COUNT) {
        handle_say (&self->handle, "a server offers at most 64 attributes", NULL);
        return BATON_TOO_LARGE;
    }
    for (uint32_t i = 0; i < self->attributes_count; i++) {
        if (&self->attributes[i] != old) {
            items[count++] = self->attributes[i].attribute;
        }
    }
    items[count++] = made->attribute;
    unsigned char *room = malloc (LIMIT_OFFER_MAX_BYTES);
    if (!room) return BATON_NO_MEMORY;
    size_t size;
    enum baton_err err = encode (self, items, count, room, &size);
    free (room);
    return err;
}

static enum baton_err
offer (struct baton_server *self, const char *key, const char *value)
{
    char *text = join (key, value);
    if (!text) return BATON_NO_MEMORY;
    struct offered made = {0};
    enum baton_err err = parse (self, text, &made);
    free (text);
    if (err) return err;

    struct offered *old = find (self, key);
    err = check_with (self, &made, old);
    if (err) {
        free (made.block);
        return err;
    }
    if (old) {
        free (old->block);
        *old = made;
    } else {
        self->attributes[self->attributes_count++] = made;
    }
    self->offer_changed = true;
    return BATON_OK;
}

enum baton_err
baton_server_offer (baton_server_t *self, const char *key, const char *value)
{
    if (!key) return BATON_BAD_ARGUMENT;
    enum baton_err err = handle_enter (self ? &self->handle : NULL);
    if (err) return err;

    if (value) {
        err = offer (self, key, value);
    } else {
        take_back (self, key);
    }
    return handle_leave (&self->handle, err);
}

enum baton_err
baton_server_join (baton_server_t *self, const char *set)
{
    enum baton_err err = handle_enter (self ? &self->handle : NULL);
    if (err) return err;

    size_t size = set ? strlen (set) : 0;
    if (size > LIMIT_NAME_MAX_BYTES) {
        handle_say (&self->handle, "a server set's name has at most 255 bytes", NULL);
        return handle_leave (&self->handle, BATON_BAD_ARGUMENT);
    }
    memset (self->set, 0, sizeof self->set);
    if (size > 0) {
        memcpy (self->set, set, size);
    }
    self->offer_changed = true;
    return handle_leave (&self->handle, BATON_OK);
}

enum baton_err
baton_server_set_capacity (baton_server_t *self, uint32_t capacity)
{
    if (capacity == 0) return BATON_BAD_ARGUMENT;
    enum baton_err err = handle_enter (self ? &self->handle : NULL);
    if (err) return err;

    self->capacity = capacity;
    self->offer_changed = true;
    return handle_leave (&self->handle, BATON_OK);
}

enum baton_err
baton_server_set_credit (baton_server_t *self, uint32_t credit_count, uint64_t credit_bytes)
{
    if (credit_count == 0 || credit_count > LIMIT_CREDIT_COUNT) return BATON_BAD_ARGUMENT;
    if (credit_bytes == 0) return BATON_BAD_ARGUMENT;
    enum baton_err err = handle_enter (self ? &self->handle : NULL);
    if (err) return err;

    self->credit_count = credit_count;
    self->credit_bytes = credit_bytes;
    self->offer_changed = true;
    return handle_leave (&self->handle, BATON_OK);
}

static enum baton_err
tell (struct baton_server *self, unsigned char *room)
{
    struct attribute items[LIMIT_ATTRIBUTES_MAX_COUNT];
    for (uint32_t i = 0; i < self->attributes_count; i++) {
        items[i] = self->attributes[i].attribute;
    }
    size_t size = 0;
    enum baton_err err = encode (self, items, self->attributes_count, room, &size);
    if (err) return err;

    struct link_offer told = {
        .set = {self->set, strlen (self->set)},
        .attributes = {room, size},
        .capacity = self->capacity,
        .credit_count = self->credit_count,
        .credit_bytes = self->credit_bytes,
    };
    return link_server_offer (self->handle.link, &told);
}

enum baton_err
server_tell_offer (struct baton_server *self)
{
    if (!self->offer_changed) return BATON_OK;
    unsigned char *room = malloc (LIMIT_OFFER_MAX_BYTES);
    if (!room) return BATON_NO_MEMORY;

    enum baton_err err = tell (self, room);
    free (room);
    if (!err) {
        self->offer_changed = false;
    }
    return err;
}

void
server_offer_fini (struct baton_server *self)
{
    for (uint32_t i = 0; i < self->attributes_count; i++) {
        free (self->attributes[i].block);
    }
}
