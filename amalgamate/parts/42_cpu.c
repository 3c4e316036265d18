/* ------------------------------------------------------------------------------------------------
 * Processor (private, and wcodec_cpu_detect): what it can do beyond what the compiler was told
 * Kernels carry their instruction set as an attribute of the function, so the user needs no compiler flags;
 * they are called only where the processor, and the system that saves its registers, has that set.
 * ---------------------------------------------------------------------------------------------- */

#if !defined(WCODEC_NO_SIMD) && (defined(__x86_64__) || (defined(_M_X64) && !defined(_M_ARM64EC)))
#if (defined(__clang__) && __clang_major__ >= 8) || (!defined(__clang__) && defined(__GNUC__) && __GNUC__ >= 9)
#define WCODECI_X86 1
#define WCODECI_TARGET(set) __attribute__((target(set)))
#include <immintrin.h>
#elif defined(_MSC_VER) && _MSC_VER >= 1920
#define WCODECI_X86 1
#define WCODECI_TARGET(set)
#include <intrin.h>
#include <immintrin.h>
#endif
#endif

/* NEON is part of AArch64; big-endian ones use the scalar code. */
#if !defined(WCODEC_NO_SIMD) && WCODECI_LITTLE && (defined(__aarch64__) || defined(_M_ARM64))
#define WCODECI_NEON 1
#include <arm_neon.h>
#if defined(__linux__) && defined(__GNUC__)
#include <sys/auxv.h>
#endif
#endif

/* Loops whose body works on one of several independent chains must be unrolled for these to overlap. */
#if defined(__clang__)
#define WCODECI_UNROLL_4 _Pragma("clang loop unroll(full)")
#define WCODECI_UNROLL_16 _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__) && __GNUC__ >= 8
#define WCODECI_UNROLL_4 _Pragma("GCC unroll 4")
#define WCODECI_UNROLL_16 _Pragma("GCC unroll 16")
#else
#define WCODECI_UNROLL_4
#define WCODECI_UNROLL_16
#endif

#ifndef WCODECI_X86
#define WCODECI_X86 0
#endif
#ifndef WCODECI_NEON
#define WCODECI_NEON 0
#endif

#if WCODECI_X86

static void wcodeci_cpuid(unsigned leaf, unsigned r[4])
{
#ifdef _MSC_VER
    int v[4];
    __cpuidex(v, (int)leaf, 0);
    r[0] = (unsigned)v[0];
    r[1] = (unsigned)v[1];
    r[2] = (unsigned)v[2];
    r[3] = (unsigned)v[3];
#else
    __asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(0));
#endif
}

/* The register sets that the system saves: bit 1 XMM, 2 YMM, 5 to 7 those of AVX-512.  Needs OSXSAVE. */
static unsigned wcodeci_xgetbv(void)
{
#ifdef _MSC_VER
    return (unsigned)_xgetbv(0);
#else
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
#endif
}

static unsigned wcodeci_cpu_look(void)
{
    /* Leaf 7, EBX: BMI1 3, AVX2 5, BMI2 8, AVX-512 F 16, DQ 17, SHA 29, BW 30, VL 31; ECX: VBMI 1,
     * VBMI2 6, VPCLMULQDQ 10.  Leaf 1, ECX: PCLMULQDQ 1, SSSE3 9, SSE4.1 19, POPCNT 23, OSXSAVE 27,
     * AVX 28. */
    const unsigned sse = 1u << 9 | 1u << 19 | 1u << 23, avx2 = 1u << 3 | 1u << 5 | 1u << 8;
    const unsigned avx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31, vbmi = 1u << 1 | 1u << 6;
    unsigned r[4], leaf1, saved = 0, found = 0;
    wcodeci_cpuid(0, r);
    if (r[0] < 1) return 0;
    leaf1 = r[0];
    wcodeci_cpuid(1, r);
    if ((r[2] & sse) == sse) found |= WCODEC_CPU_SSE41;
    if (found && r[2] >> 1 & 1) found |= WCODEC_CPU_CLMUL;
    if ((r[2] >> 27 & 3) == 3) saved = wcodeci_xgetbv();
    if (leaf1 < 7 || !(found & WCODEC_CPU_SSE41)) return found;
    wcodeci_cpuid(7, r);
    if (r[1] >> 29 & 1) found |= WCODEC_CPU_SHA;
    if ((saved & 6) != 6 || (r[1] & avx2) != avx2) return found;
    found |= WCODEC_CPU_AVX2;
    if ((saved & 0xE0) != 0xE0 || (r[1] & avx512) != avx512) return found;
    if ((r[2] & vbmi) == vbmi) found |= WCODEC_CPU_AVX512;
    if ((found & WCODEC_CPU_CLMUL) && r[2] >> 10 & 1) found |= WCODEC_CPU_VCLMUL;
    return found;
}

#elif WCODECI_NEON

static unsigned wcodeci_cpu_look(void)
{
    unsigned found = WCODEC_CPU_NEON;
#if defined(__linux__) && defined(__GNUC__)
    if (getauxval(16 /* AT_HWCAP */) >> 7 & 1) found |= WCODEC_CPU_CLMUL;       /* HWCAP_CRC32 */
    if (getauxval(16 /* AT_HWCAP */) >> 6 & 1) found |= WCODEC_CPU_SHA;         /* HWCAP_SHA2 */
#elif defined(__ARM_FEATURE_CRC32)
    found |= WCODEC_CPU_CLMUL;
#endif
#if defined(__APPLE__) && defined(__GNUC__)
    found |= WCODEC_CPU_SHA;            /* all of Apple's have it */
#endif
    return found;
}

#else

static unsigned wcodeci_cpu_look(void) { return 0; }

#endif

/* Asking the processor takes a microsecond, on a virtual machine many, so the answer is kept.  Threads that
 * come first together all find the same. */
WCODEC_API unsigned wcodec_cpu_detect(void)
{
    static unsigned kept;               /* with bit 31, so that it is never 0 */
    unsigned found;
#if defined(__GNUC__)
    found = __atomic_load_n(&kept, __ATOMIC_RELAXED);
#else
    found = *(volatile unsigned *)&kept;
#endif
    if (!found) {
        found = wcodeci_cpu_look() | 0x80000000u;
#if defined(__GNUC__)
        __atomic_store_n(&kept, found, __ATOMIC_RELAXED);
#else
        *(volatile unsigned *)&kept = found;
#endif
    }
    return found & 0x7FFFFFFFu;
}
