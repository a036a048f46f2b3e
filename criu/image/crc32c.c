// SPDX-License-Identifier: GPL-2.0-only
/*
 * CRC-32C: by the processor's instruction where there is one, else four bits at a time.
 */
#include <string.h>

#include "image/crc32c.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

/* The generator polynomial, lowest power in the highest bit. */
enum { POLY = 0x82f63b78u };

/* clang-format off */
/* advance[k][n]: the register after 32 zero bits when it was n << 4 * k. */
static const uint32_t advance[8][16] = {
	{
		0x00000000, 0xdd45aab8, 0xbf672381, 0x62228939,
		0x7b2231f3, 0xa6679b4b, 0xc4451272, 0x1900b8ca,
		0xf64463e6, 0x2b01c95e, 0x49234067, 0x9466eadf,
		0x8d665215, 0x5023f8ad, 0x32017194, 0xef44db2c,
	},
	{
		0x00000000, 0xe964b13d, 0xd725148b, 0x3e41a5b6,
		0xaba65fe7, 0x42c2eeda, 0x7c834b6c, 0x95e7fa51,
		0x52a0c93f, 0xbbc47802, 0x8585ddb4, 0x6ce16c89,
		0xf90696d8, 0x106227e5, 0x2e238253, 0xc747336e,
	},
	{
		0x00000000, 0xa541927e, 0x4f6f520d, 0xea2ec073,
		0x9edea41a, 0x3b9f3664, 0xd1b1f617, 0x74f06469,
		0x38513ec5, 0x9d10acbb, 0x773e6cc8, 0xd27ffeb6,
		0xa68f9adf, 0x03ce08a1, 0xe9e0c8d2, 0x4ca15aac,
	},
	{
		0x00000000, 0x70a27d8a, 0xe144fb14, 0x91e6869e,
		0xc76580d9, 0xb7c7fd53, 0x26217bcd, 0x56830647,
		0x8b277743, 0xfb850ac9, 0x6a638c57, 0x1ac1f1dd,
		0x4c42f79a, 0x3ce08a10, 0xad060c8e, 0xdda47104,
	},
	{
		0x00000000, 0x13a29877, 0x274530ee, 0x34e7a899,
		0x4e8a61dc, 0x5d28f9ab, 0x69cf5132, 0x7a6dc945,
		0x9d14c3b8, 0x8eb65bcf, 0xba51f356, 0xa9f36b21,
		0xd39ea264, 0xc03c3a13, 0xf4db928a, 0xe7790afd,
	},
	{
		0x00000000, 0x3fc5f181, 0x7f8be302, 0x404e1283,
		0xff17c604, 0xc0d23785, 0x809c2506, 0xbf59d487,
		0xfbc3faf9, 0xc4060b78, 0x844819fb, 0xbb8de87a,
		0x04d43cfd, 0x3b11cd7c, 0x7b5fdfff, 0x449a2e7e,
	},
	{
		0x00000000, 0xf26b8303, 0xe13b70f7, 0x1350f3f4,
		0xc79a971f, 0x35f1141c, 0x26a1e7e8, 0xd4ca64eb,
		0x8ad958cf, 0x78b2dbcc, 0x6be22838, 0x9989ab3b,
		0x4d43cfd0, 0xbf284cd3, 0xac78bf27, 0x5e133c24,
	},
	{
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
		0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
		0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	},
};
/* clang-format on */

uint32_t crc32c_portable(uint32_t crc, const void *data, size_t size)
{
	const uint8_t *p = data;

	crc = ~crc;
	for (; size >= 4; size -= 4, p += 4) {
		uint32_t next = 0;

		crc ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
		       (uint32_t)p[3] << 24;
		for (int k = 0; k < 8; k++)
			next ^= advance[k][crc >> 4 * k & 15];
		crc = next;
	}
	/* The low byte of the register is eight zero bits from where the top byte is in 32. */
	for (; size; size--, p++) {
		uint32_t low = (crc ^ *p) & 0xff;

		crc = crc >> 8 ^ advance[6][low & 15] ^ advance[7][low >> 4];
	}
	return ~crc;
}

/* Product of two polynomials modulo POLY; 1 is 0x80000000. */
static uint32_t multiply(uint32_t a, uint32_t b)
{
	uint32_t product = 0;

	for (uint32_t bit = 0x80000000u; bit; bit >>= 1) {
		if (a & bit)
			product ^= b;
		b = b >> 1 ^ (b & 1 ? POLY : 0);
	}
	return product;
}

uint32_t crc32c_combine(uint32_t crc1, uint32_t crc2, uint64_t size2)
{
	uint32_t power = 0x00800000; /* x^8, then its squares: one byte, two, four ... */

	for (; size2; size2 >>= 1) {
		if (size2 & 1)
			crc1 = multiply(crc1, power);
		power = multiply(power, power);
	}
	return crc1 ^ crc2;
}

#if defined(__x86_64__)

/*
 * The instruction takes three cycles and can begin each cycle: three stretches of STRIDE bytes are
 * summed side by side. SHIFT_n is x^(8 * n * STRIDE - 33): a carryless product with it, put through
 * the instruction once more, moves a sum over n strides of zeros.
 */
enum { STRIDE = 4096 };
#define SHIFT_1 0x82f89c77
#define SHIFT_2 0x54a86326

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

__attribute__((target("sse4.2,pclmul"))) static uint64_t shift(uint64_t crc, int64_t by)
{
	__m128i product =
		_mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)crc), _mm_cvtsi64_si128(by), 0);

	return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

__attribute__((target("sse4.2,pclmul"))) static uint32_t
by_instruction(uint32_t crc, const void *data, size_t size)
{
	const uint8_t *p = data;
	uint64_t sum = ~crc;

	for (; size >= 3 * STRIDE; size -= 3 * STRIDE, p += 3 * STRIDE) {
		uint64_t second = 0, third = 0;

		for (size_t i = 0; i < STRIDE; i += 8) {
			sum = _mm_crc32_u64(sum, load64(p + i));
			second = _mm_crc32_u64(second, load64(p + STRIDE + i));
			third = _mm_crc32_u64(third, load64(p + 2 * STRIDE + i));
		}
		sum = shift(sum, SHIFT_2) ^ shift(second, SHIFT_1) ^ third;
	}
	for (; size >= 8; size -= 8, p += 8)
		sum = _mm_crc32_u64(sum, load64(p));
	for (; size; size--, p++)
		sum = _mm_crc32_u8((uint32_t)sum, *p);
	return ~(uint32_t)sum;
}

static int has_instruction(void)
{
	return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
}

#elif defined(__aarch64__)

static uint32_t by_instruction(uint32_t crc, const void *data, size_t size)
{
	const uint8_t *p = data;

	crc = ~crc;
	for (; size >= 8; size -= 8, p += 8) {
		uint64_t word;

		memcpy(&word, p, sizeof(word));
		__asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(crc) : "r"(word));
	}
	for (; size; size--, p++)
		__asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(crc) : "r"(*p));
	return ~crc;
}

static int has_instruction(void)
{
	return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
}

#else

static uint32_t by_instruction(uint32_t crc, const void *data, size_t size)
{
	return crc32c_portable(crc, data, size);
}

static int has_instruction(void)
{
	return 0;
}

#endif

uint32_t crc32c(uint32_t crc, const void *data, size_t size)
{
	return has_instruction() ? by_instruction(crc, data, size) :
				   crc32c_portable(crc, data, size);
}
