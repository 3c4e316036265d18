/* Writes a checkpoint like those that are published: a small transformer in BF16, as safetensors, its
 * values Gaussian, with a scale for every row and column, rare outliers, norms near 1, small biases.
 *
 *   cc -O2 -o make_model make_model.c
 *   ./make_model model.safetensors [LAYERS]        6 layers: 42 MB
 *
 * All arithmetic is on integers, so that the file is the same on every machine.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 512, KV = 128, HIDDEN = 1408, VOCABULARY = 8192, MAX_LAYERS = 999 };

typedef enum flavour { MATRIX, NORM, BIAS } flavour;

typedef struct tensor {
    char name[64];
    flavour kind;
    unsigned rows, columns;         /* rows 0: a vector */
    int exponent;                   /* values have a standard deviation of about 2^exponent */
} tensor;

static tensor tensors[MAX_LAYERS * 12 + 3];
static size_t tensor_count;
static uint64_t seed = 0x5EED0F7E4501ull;

/* SplitMix64. */
static uint64_t random64(void)
{
    uint64_t z = seed += 0x9E3779B97F4A7C15ull;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
}

/* The sum of twelve uniform 16-bit numbers: mean 0, standard deviation 2^16. */
static int64_t gauss(void)
{
    int64_t sum = -12 * 32768 + 6;
    int i, k;
    for (i = 0; i < 3; i++) {
        uint64_t bits = random64();
        for (k = 0; k < 4; k++) sum += (int64_t)(bits >> (16 * k) & 0xFFFF);
    }
    return sum;
}

/* value * 2^exponent as BF16, rounded to nearest even. */
static unsigned bf16(int64_t value, int exponent)
{
    unsigned sign = value < 0 ? 0x8000u : 0, mantissa;
    uint64_t magnitude = value < 0 ? (uint64_t)0 - (uint64_t)value : (uint64_t)value, half, rest;
    int top = 63, shift;
    if (magnitude == 0) return sign;
    while (magnitude >> top == 0) top--;
    shift = top - 7;                            /* eight significant bits stay */
    if (shift <= 0) {                           /* pad to eight, with a zero below to be cut off again */
        magnitude <<= 1 - shift;
        shift = 1;
    }
    half = (uint64_t)1 << (shift - 1);
    rest = magnitude & (2 * half - 1);
    mantissa = (unsigned)(magnitude >> shift);
    if (rest > half || (rest == half && (mantissa & 1) != 0)) mantissa++;
    /* A mantissa that is rounded up to 256 carries into the exponent, as it should. */
    return sign | (((unsigned)(exponent + top + 127) << 7) + mantissa - 128);
}

static void add(const char *name, flavour kind, unsigned rows, unsigned columns, int exponent)
{
    tensor *t = &tensors[tensor_count++];
    snprintf(t->name, sizeof t->name, "%s", name);
    t->kind = kind;
    t->rows = rows;
    t->columns = columns;
    t->exponent = exponent;
}

static void add_layer(unsigned layer)
{
    static const tensor parts[] = {
        { "input_layernorm.weight", NORM, 0, WIDTH, -4 },
        { "mlp.down_proj.weight", MATRIX, WIDTH, HIDDEN, -6 },
        { "mlp.gate_proj.weight", MATRIX, HIDDEN, WIDTH, -5 },
        { "mlp.up_proj.weight", MATRIX, HIDDEN, WIDTH, -5 },
        { "post_attention_layernorm.weight", NORM, 0, WIDTH, -4 },
        { "self_attn.k_proj.bias", BIAS, 0, KV, -7 },
        { "self_attn.k_proj.weight", MATRIX, KV, WIDTH, -4 },
        { "self_attn.o_proj.weight", MATRIX, WIDTH, WIDTH, -6 },
        { "self_attn.q_proj.bias", BIAS, 0, WIDTH, -7 },
        { "self_attn.q_proj.weight", MATRIX, WIDTH, WIDTH, -4 },
        { "self_attn.v_proj.bias", BIAS, 0, KV, -9 },
        { "self_attn.v_proj.weight", MATRIX, KV, WIDTH, -6 }
    };
    size_t i;
    for (i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char name[64];
        snprintf(name, sizeof name, "model.layers.%u.%.40s", layer, parts[i].name);
        add(name, parts[i].kind, parts[i].rows, parts[i].columns, parts[i].exponent);
    }
}

static uint64_t tensor_bytes(const tensor *t)
{
    return (uint64_t)2 * (t->rows != 0 ? t->rows : 1) * t->columns;
}

/* The length of the JSON text, its padding to 8 included, and the text. */
static void write_header(FILE *file)
{
    size_t capacity = tensor_count * 200 + 100, size, i;
    char *json = (char *)malloc(capacity);
    unsigned char length[8];
    uint64_t at = 0;
    if (json == NULL) exit(1);
    size = (size_t)snprintf(json, capacity, "{\"__metadata__\":{\"format\":\"pt\"}");
    for (i = 0; i < tensor_count; i++) {
        const tensor *t = &tensors[i];
        char rows[16] = "";
        if (t->rows != 0) snprintf(rows, sizeof rows, "%u,", t->rows);
        size += (size_t)snprintf(json + size, capacity - size,
                                 ",\"%s\":{\"dtype\":\"BF16\",\"shape\":[%s%u],\"data_offsets\":[%llu,%llu]}",
                                 t->name, rows, t->columns, (unsigned long long)at,
                                 (unsigned long long)(at + tensor_bytes(t)));
        at += tensor_bytes(t);
    }
    json[size++] = '}';
    while (size % 8 != 0) json[size++] = ' ';
    for (i = 0; i < 8; i++) length[i] = (unsigned char)(size >> (8 * i) & 255);
    fwrite(length, 1, 8, file);
    fwrite(json, 1, size, file);
    free(json);
}

/* A scale with 8 bits of mantissa: 181 * 2^-8 is the middle one; a few columns are far larger. */
static int64_t random_scale(int spread, int may_be_large)
{
    int64_t scale = 181 + gauss() * spread / 65536;
    if (scale < 32) scale = 32;
    return may_be_large && random64() % 200 == 0 ? scale * 4 : scale;
}

static int64_t value_of(const tensor *t, int64_t row_scale, int64_t column_scale)
{
    int64_t value = gauss() * row_scale * column_scale;     /* of the order of 2^(16 + 15) */
    if (t->kind == NORM) return ((int64_t)1 << (31 - t->exponent)) + value;
    return t->kind == MATRIX && random64() % 4096 == 0 ? value * 8 : value;
}

static void write_tensor(const tensor *t, FILE *file)
{
    static unsigned char row_bytes[2 * (HIDDEN > WIDTH ? HIDDEN : WIDTH)];
    static int64_t column_scale[HIDDEN > WIDTH ? HIDDEN : WIDTH];
    unsigned rows = t->rows != 0 ? t->rows : 1, row, column;
    for (column = 0; column < t->columns; column++) column_scale[column] = random_scale(30, 1);
    for (row = 0; row < rows; row++) {
        int64_t row_scale = random_scale(50, 0);
        for (column = 0; column < t->columns; column++) {
            unsigned x = bf16(value_of(t, row_scale, column_scale[column]), t->exponent - 31);
            row_bytes[2 * column] = (unsigned char)(x & 255);
            row_bytes[2 * column + 1] = (unsigned char)(x >> 8);
        }
        fwrite(row_bytes, 2, t->columns, file);
    }
}

int main(int argc, char **argv)
{
    long layers = argc == 3 ? strtol(argv[2], NULL, 10) : 6, layer;
    FILE *file;
    size_t i;
    int failed;
    if (argc < 2 || argc > 3 || layers < 0 || layers > MAX_LAYERS) {
        fprintf(stderr, "usage: make_model OUT.safetensors [LAYERS, at most %d]\n", MAX_LAYERS);
        return 2;
    }
    add("model.embed_tokens.weight", MATRIX, VOCABULARY, WIDTH, -5);
    for (layer = 0; layer < layers; layer++) add_layer((unsigned)layer);
    add("model.norm.weight", NORM, 0, WIDTH, -4);
    file = fopen(argv[1], "wb");
    if (file == NULL) return perror(argv[1]), 1;
    write_header(file);
    for (i = 0; i < tensor_count; i++) write_tensor(&tensors[i], file);
    failed = ferror(file);
    if (fclose(file) != 0 || failed) return perror(argv[1]), 1;
    return 0;
}
