// SPDX-License-Identifier: MPL-2.0
#include "proto/attribute.h"

#include "proto/assert.h"

// Sizes of keys and the count are stored in one byte each; sentences below name the numbers.
_Static_assert (LIMIT_NAME_MAX_BYTES == 255u, "a key's size is stored in one byte");
_Static_assert (LIMIT_ATTRIBUTES_MAX_COUNT == 64u, "a sentence below names the limit");
_Static_assert (LIMIT_OFFER_MAX_BYTES == 16384u, "a sentence below names the limit");

static bool
is_keyword (struct baton_bytes word)
{
    static const char *const keywords[] = { "and", "or", "not", "in", "exists" };
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
        if (word_is (word, keywords[i])) return true;
    }
    return false;
}

const char *
attribute_key_check (struct baton_bytes key)
{
    if (key.size == 0) return "a key is empty";
    if (key.size > LIMIT_NAME_MAX_BYTES) return "a key is longer than 255 bytes";
    struct scanner scanner;
    scanner_init (&scanner, key, NULL);
    if (scanner_word (&scanner).size != key.size) {
        return "a key is a letter or '_', then letters, digits, '_', '.' and '-'";
    }
    return is_keyword (key) ? "and, or, not, in and exists cannot be keys" : NULL;
}

static bool
is_implied_key (struct baton_bytes key)
{
    return attribute_bytes_equal (key, (struct baton_bytes) { "set", 3 })
        || attribute_bytes_equal (key, (struct baton_bytes) { "name", 4 });
}

static const char *
item_check (const struct attributes *attributes, uint32_t index)
{
    const struct attribute *item = &attributes->items[index];
    const char *complaint = attribute_key_check (item->key);
    if (complaint) return complaint;
    if (is_implied_key (item->key)) {
        return "set and name cannot be keys: every server has them already";
    }
    const struct attributes before = { attributes->items, index };
    if (attributes_find (&before, item->key)) return "a key stands twice";
    if (item->value.type == ATTRIBUTE_INTEGERS) return "a set holds texts, not integers";
    return value_check (&item->value);
}

const char *
attributes_check (const struct attributes *attributes, uint32_t *item_index)
{
    *item_index = attributes->count;
    if (attributes->count > LIMIT_ATTRIBUTES_MAX_COUNT) return "more than 64 attributes";
    for (uint32_t i = 0; i < attributes->count; i++) {
        const char *complaint = item_check (attributes, i);
        if (complaint) {
            *item_index = i;
            return complaint;
        }
    }
    size_t size_bytes;
    (void) attributes_encode (attributes, NULL, 0, &size_bytes);
    return size_bytes > LIMIT_OFFER_MAX_BYTES ? "the attributes have over 16384 bytes in all"
                                              : NULL;
}

const struct attribute *
attributes_find (const struct attributes *attributes, struct baton_bytes key)
{
    for (uint32_t i = 0; i < attributes->count; i++) {
        if (attribute_bytes_equal (attributes->items[i].key, key)) return &attributes->items[i];
    }
    return NULL;
}

// next_in_order returns the item with the lowest key above [last]'s, NULL at the end. Picking one
// after the other needs no memory, and an offer is encoded once.
static const struct attribute *
next_in_order (const struct attributes *attributes, const struct attribute *last)
{
    const struct attribute *next = NULL;
    for (uint32_t i = 0; i < attributes->count; i++) {
        const struct attribute *item = &attributes->items[i];
        if (last && attribute_bytes_compare (item->key, last->key) <= 0) continue;
        if (!next || attribute_bytes_compare (item->key, next->key) < 0) {
            next = item;
        }
    }
    return next;
}

static void
attributes_pack (struct pack *pack, const struct attributes *attributes)
{
    pack_u8 (pack, (uint8_t) attributes->count);
    const struct attribute *item = NULL;
    for (uint32_t i = 0; i < attributes->count; i++) {
        item = next_in_order (attributes, item);
        ASSERT (item != NULL);
        pack_u8 (pack, (uint8_t) item->key.size);
        pack_bytes (pack, item->key);
        value_pack (pack, &item->value);
    }
}

enum baton_err
attributes_encode (const struct attributes *attributes, void *data, size_t max_bytes,
                   size_t *size_bytes)
{
    ASSERT (attributes->count <= LIMIT_ATTRIBUTES_MAX_COUNT);
    struct pack pack;
    pack_init (&pack, data, max_bytes);
    if (attributes->count > 0) {
        attributes_pack (&pack, attributes);
    }
    *size_bytes = pack.used_bytes;
    return pack_fits (&pack) ? BATON_OK : BATON_TOO_LARGE;
}

static bool
item_unpack (struct unpack *unpack, struct attribute *item)
{
    uint8_t key_size;
    if (!unpack_u8 (unpack, &key_size)) return false;
    if (!unpack_bytes (unpack, key_size, &item->key)) return false;
    return value_unpack (unpack, &item->value);
}

// Rising order makes keys unique and the bytes the only ones for these attributes.
static bool
is_in_order (const struct attribute *items, uint32_t index)
{
    return index == 0 || attribute_bytes_compare (items[index - 1].key, items[index].key) < 0;
}

static bool
items_unpack (struct unpack *unpack, struct attribute *items, uint8_t count)
{
    if (count == 0 || count > LIMIT_ATTRIBUTES_MAX_COUNT) return false;
    for (uint8_t i = 0; i < count; i++) {
        if (!item_unpack (unpack, &items[i])) return false;
        if (!is_in_order (items, i)) return false;
        // The order has shown already that no key before is the same.
        const struct attributes alone = { &items[i], 1 };
        if (item_check (&alone, 0)) return false;
    }
    return unpack->size_bytes == 0;
}

enum baton_err
attributes_view (struct baton_bytes stored, struct attribute items[LIMIT_ATTRIBUTES_MAX_COUNT],
                 struct attributes *attributes)
{
    *attributes = (struct attributes) { items, 0 };
    if (stored.size == 0) return BATON_OK;
    if (stored.size > LIMIT_OFFER_MAX_BYTES) return BATON_DAMAGED;
    struct unpack unpack;
    unpack_init (&unpack, stored);
    uint8_t count;
    if (!unpack_u8 (&unpack, &count)) return BATON_DAMAGED;
    if (!items_unpack (&unpack, items, count)) return BATON_DAMAGED;
    attributes->count = count;
    return BATON_OK;
}

// is_bare_integer returns whether all that is left is an optional '-' and digits.
static bool
is_bare_integer (struct baton_bytes rest)
{
    const char *data = rest.data;
    size_t i = data[0] == '-' ? 1 : 0;
    if (i == rest.size) return false;
    while (i < rest.size && data[i] >= '0' && data[i] <= '9') {
        i++;
    }
    return i == rest.size;
}

static bool
bare_text (struct scanner *scanner, struct baton_bytes rest, struct attribute_value *value)
{
    *value = value_text (rest);
    const char *complaint = value_check (value);
    if (complaint) return scanner_fail (scanner, scanner->position_bytes, complaint);
    const size_t start_bytes = scanner->pack->used_bytes;
    pack_bytes (scanner->pack, rest);
    if (!pack_fits (scanner->pack)) return scanner_full (scanner, scanner->position_bytes);
    value->bytes = pack_since (scanner->pack, start_bytes);
    scanner->position_bytes += rest.size;
    return true;
}

// What is no literal of the language is a text as it stands: shells eat quotes.
static bool
parse_value (struct scanner *scanner, struct attribute_value *value)
{
    struct baton_bytes rest = { (const uint8_t *) scanner->text.data + scanner->position_bytes,
                                scanner->text.size - scanner->position_bytes };
    if (rest.size == 0) {
        return scanner_fail (scanner, scanner->position_bytes, "expected a value after '='");
    }
    const int first = scanner_peek (scanner);
    if (first == '"' || first == '{' || is_bare_integer (rest) || word_is (rest, "true")
        || word_is (rest, "false")) {
        return scanner_value (scanner, "expected a value after '='", value);
    }
    return bare_text (scanner, rest, value);
}

static bool
parse_key (struct scanner *scanner, struct baton_bytes *key)
{
    *key = scanner_word (scanner);
    if (!scanner_take (scanner, "=")) {
        return scanner_fail (scanner, scanner->position_bytes, "expected key=value");
    }
    const char *complaint = attribute_key_check (*key);
    if (complaint) return scanner_fail (scanner, 0, complaint);
    const size_t start_bytes = scanner->pack->used_bytes;
    pack_bytes (scanner->pack, *key);
    *key = pack_since (scanner->pack, start_bytes);
    return pack_fits (scanner->pack) ? true : scanner_full (scanner, 0);
}

static bool
parse_attribute (struct scanner *scanner, struct attribute *attribute)
{
    if (!parse_key (scanner, &attribute->key)) return false;
    if (!parse_value (scanner, &attribute->value)) return false;
    if (scanner_peek (scanner) >= 0) {
        return scanner_fail (scanner, scanner->position_bytes,
                             "something follows the end of the value");
    }
    const struct attributes alone = { attribute, 1 };
    const char *complaint = item_check (&alone, 0);
    return complaint ? scanner_fail (scanner, 0, complaint) : true;
}

enum baton_err
attribute_parse_text (struct baton_bytes text, struct pack *pack, struct attribute *attribute,
                      struct text_fault *fault)
{
    struct scanner scanner;
    scanner_init (&scanner, text, pack);
    const bool good = parse_attribute (&scanner, attribute);
    ASSERT (good == (scanner.error == BATON_OK));
    *fault = scanner.fault;
    return scanner.error;
}

void
attribute_print (struct pack *pack, const struct attribute *attribute)
{
    pack_bytes (pack, attribute->key);
    literal_put (pack, "=");
    literal_print (pack, &attribute->value);
}
