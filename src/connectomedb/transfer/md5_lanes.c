/* MD5 of up to eight streams at once (RFC 1321), each in a lane of one vector.

   Each step of MD5 waits for the one before, so a single stream leaves most of a processor idle, and nothing can make it
   faster. Several streams fill the gaps: eight cost little more than one. Built by hatch_build.py where a C compiler
   is at hand, and called by transfer/digest.py; no part of Python's C interface is used. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if !defined(__GNUC__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "needs the vectors of GCC or Clang, and words that lie in memory as MD5 reads them"
#endif

#define LANES 8
#define BLOCK 64 /* bytes */

typedef uint32_t lane;
typedef uint32_t lanes __attribute__((vector_size(LANES * sizeof(uint32_t))));

/* On x86 one copy for each generation of processors; the right one is chosen when the library is loaded. */
#if defined(__x86_64__) && defined(__linux__) && !defined(__clang__) && __GNUC__ >= 12
#define FOR_EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

/* floor(2^32 * |sin(i + 1)|) */
static const uint32_t SINE[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};
static const int TURN[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

/* The 64 steps over words m[16], for one stream or for a vector of them. The function of the second round is a sum, not
   a choice, so that half of it need not wait for the step before. */
#define DIGEST_BLOCK(type, a, b, c, d, m)                                      \
    _Pragma("GCC unroll 64") for (int i = 0; i < 64; i++) {                    \
        const int round = i / 16, turn = TURN[round][i % 4];                   \
        const int word[4] = {i, 5 * i + 1, 3 * i + 5, 7 * i};                  \
        type sum = a + m[word[round] % 16] + SINE[i];                          \
        if (round == 0) sum += d ^ (b & (c ^ d));                              \
        if (round == 1) { sum += c & ~d; sum += b & d; }                       \
        if (round == 2) sum += b ^ (c ^ d);                                    \
        if (round == 3) sum += c ^ (b | ~d);                                   \
        a = d; d = c; c = b;                                                   \
        b += (sum << turn) | (sum >> (32 - turn));                             \
    }

/* Digest `count` blocks at `bytes` into the four words of a state. */
void md5_stream(uint32_t state[4], const uint8_t *bytes, size_t count)
{
    for (; count; count--, bytes += BLOCK) {
        lane a = state[0], b = state[1], c = state[2], d = state[3], m[16];
        memcpy(m, bytes, BLOCK);
        DIGEST_BLOCK(lane, a, b, c, d, m)
        state[0] += a; state[1] += b; state[2] += c; state[3] += d;
    }
}

/* Summed up in another order, more of each step would wait for the one before: a fifth slower. */
#pragma GCC optimize("no-tree-reassoc")

/* Word i of each of eight streams, as vector i, for the next eight words. */
static inline __attribute__((always_inline)) void transpose(const uint8_t *const bytes[LANES], size_t at, lanes m[LANES])
{
    lanes row[LANES], pair[LANES], four[LANES];
    for (int i = 0; i < LANES; i++) memcpy(&row[i], bytes[i] + at, sizeof row[i]);
    for (int i = 0; i < LANES; i += 2) {
        pair[i] = __builtin_shufflevector(row[i], row[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
        pair[i + 1] = __builtin_shufflevector(row[i], row[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    }
    for (int i = 0; i < LANES; i++) {
        int low = i / 4 * 4 + i % 2;
        four[i] = i % 4 < 2 ? __builtin_shufflevector(pair[low], pair[low + 2], 0, 1, 8, 9, 4, 5, 12, 13)
                            : __builtin_shufflevector(pair[low], pair[low + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
    for (int i = 0; i < 4; i++) {
        m[i] = __builtin_shufflevector(four[i], four[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        m[i + 4] = __builtin_shufflevector(four[i], four[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

/* Digest `count` blocks of each of eight streams; state[word][stream]. */
FOR_EACH_PROCESSOR
void md5_streams(uint32_t state[4][LANES], const uint8_t *const bytes[LANES], size_t count)
{
    lanes kept[4];
    memcpy(kept, state, sizeof kept);
    for (size_t at = 0; at < count * BLOCK; at += BLOCK) {
        lanes m[16];
        transpose(bytes, at, m);
        transpose(bytes, at + BLOCK / 2, m + 8);
        lanes a = kept[0], b = kept[1], c = kept[2], d = kept[3];
        DIGEST_BLOCK(lanes, a, b, c, d, m)
        kept[0] += a; kept[1] += b; kept[2] += c; kept[3] += d;
    }
    memcpy(state, kept, sizeof kept);
}
