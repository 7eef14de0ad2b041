/* Prints tdpbf16ps.txt: one instruction for each case. `gcc -O2 -static -o tdpbf16ps tdpbf16ps.c`, and run it on Linux 5.16 or later on a
   processor with AMX, or on an emulated one. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>
typedef uint16_t h; typedef uint32_t w;
static struct __attribute__((packed, aligned(64))) { uint8_t pal, start, res[14]; uint16_t colsb[16]; uint8_t rows[16]; } cfg;
static w C[16][16] __attribute__((aligned(64))), A[16][16] __attribute__((aligned(64))), B[16][16] __attribute__((aligned(64))), D[16][16] __attribute__((aligned(64)));
static uint64_t s = 88172645463325252ull;
static uint64_t rnd(void) { s ^= s << 13; s ^= s >> 7; s ^= s << 17; return s; }
static int ncase; static w mxcsr = 0x1f80;
static void run(const char *name, int M, int K, int N) {
  memset(&cfg, 0, sizeof cfg); cfg.pal = 1;
  cfg.rows[0] = M; cfg.colsb[0] = 4 * N; cfg.rows[1] = M; cfg.colsb[1] = 4 * K; cfg.rows[2] = K; cfg.colsb[2] = 4 * N;
  memset(D, 0xee, sizeof D);
  w old; __asm__ volatile("stmxcsr %0" : "=m"(old));
  __asm__ volatile(
    "ldmxcsr %5\n ldtilecfg %0\n tileloadd (%1,%4,1), %%tmm0\n tileloadd (%2,%4,1), %%tmm1\n tileloadd (%3,%4,1), %%tmm2\n"
    "tdpbf16ps %%tmm2, %%tmm1, %%tmm0\n tilestored %%tmm0, (%6,%4,1)\n tilerelease\n"
    :: "m"(cfg), "r"(C), "r"(A), "r"(B), "r"(64l), "m"(mxcsr), "r"(D) : "memory");
  w now; __asm__ volatile("stmxcsr %0" : "=m"(now)); __asm__ volatile("ldmxcsr %0" :: "m"(old));
  if (now != mxcsr) { fprintf(stderr, "%s: mxcsr %x became %x\n", name, mxcsr, now); exit(1); }
  printf("case %d %s %d %d %d\n", ++ncase, name, M, K, N);
  printf("C"); for (int m = 0; m < M; m++) for (int n = 0; n < N; n++) printf(" %08x", C[m][n]);
  printf("\nA"); for (int m = 0; m < M; m++) for (int k = 0; k < K; k++) printf(" %08x", A[m][k]);
  printf("\nB"); for (int k = 0; k < K; k++) for (int n = 0; n < N; n++) printf(" %08x", B[k][n]);
  printf("\nD"); for (int m = 0; m < M; m++) for (int n = 0; n < N; n++) printf(" %08x", D[m][n]);
  printf("\n");
  for (int m = 0; m < 16; m++) for (int n = 0; n < 16; n++)
    if ((m >= M || n >= N) && D[m][n] != 0xeeeeeeee) { fprintf(stderr, "%s: stored outside of the tile\n", name); exit(1); }
}
static h hx(int emin, int emax) { return (h)((rnd() & 1) << 15 | (emin + rnd() % (emax - emin + 1)) << 7 | (rnd() & 127)); }
static w fx(int emin, int emax) { return (w)((rnd() & 1) << 31 | (w)(emin + rnd() % (emax - emin + 1)) << 23 | (rnd() & 0x7fffff)); }
static void fill(int ae, int aE, int ce, int cE) { /* exponents, biased */
  for (int i = 0; i < 16; i++) for (int j = 0; j < 16; j++) {
    A[i][j] = (w)hx(ae, aE) << 16 | hx(ae, aE); B[i][j] = (w)hx(ae, aE) << 16 | hx(ae, aE); C[i][j] = fx(ce, cE);
  }
}
static void pick(const h *a, int na, const h *b, int nb, const w *c, int nc) {
  for (int i = 0; i < 16; i++) for (int j = 0; j < 16; j++) {
    A[i][j] = (w)a[rnd() % na] << 16 | a[rnd() % na]; B[i][j] = (w)b[rnd() % nb] << 16 | b[rnd() % nb]; C[i][j] = c[rnd() % nc];
  }
}
#define L(x) x, (int)(sizeof x / sizeof *x)
/* explicit case: 1 row, 1 column; a,b: even,odd,even,odd ...; c */
static void one(const char *name, w c, int K, const h *a, const h *b) {
  for (int k = 0; k < K; k++) { A[0][k] = a[2*k] | (w)a[2*k+1] << 16; B[k][0] = b[2*k] | (w)b[2*k+1] << 16; }
  C[0][0] = c; run(name, 1, K, 1);
}
#define ONE(name, c, K, ...) do { static const h ab[2][2*K] = __VA_ARGS__; one(name, c, K, ab[0], ab[1]); } while (0)
int main(void) {
  long r = syscall(SYS_arch_prctl, 0x1023, 18);
  if (r) { fprintf(stderr, "arch_prctl: %ld\n", r); return 1; }
  printf("# TDPBF16PS as Bochs (development version of August 2026, https://bochs.sourceforge.io) computes it for its processor sapphire_rapids, as hexadecimal\n"
    "# words: C = C + A B for C of M rows and N columns of float32, A of M rows of K words, B of K rows of N words; a word holds two bfloat16, the\n"
    "# first in the lower half. D is C afterwards.\n");
  for (int i = 0; i < 10; i++) { fill(120, 134, 118, 140); run("random", 2, 4, 2); }
  for (int i = 0; i < 4; i++) { fill(100, 154, 73, 181); run("wide", 2, 4, 2); }
  for (int i = 0; i < 3; i++) { fill(1, 254, 1, 254); run("allexp", 3, 4, 3); }
  for (int i = 0; i < 3; i++) { fill(50, 75, 1, 20); run("small", 3, 4, 3); }
  static const h t[] = {0x3f80, 0xbf80, 0x3f81, 0x3980, 0xb980, 0x3a00, 0x4000, 0x3c00, 0xbf81, 0x3fff, 0x3900, 0x4b80, 0x4b00}; /* 1 -1 1+2^-7 2^-12 .. 2^-13 2^24 2^23 */
  static const w tc[] = {0x3f800000, 0x3f800001, 0xbf800000, 0x33800000, 0x33000000, 0x4b800000, 0x4b800001, 0xcb800001, 0x3f7fffff};
  for (int i = 0; i < 6; i++) { pick(L(t), L(t), L(tc)); run("ties", 4, 4, 4); }
  ONE("tie-in-chain-even", 0, 3, {{0x3f80, 0, 0x3980, 0, 0x3980, 0}, {0x3f80, 0, 0x3980, 0, 0x3980, 0}});       /* 1 + 2^-24 + 2^-24 one after the other: 1; together: 1+2^-23 */
  ONE("tie-even-odd", 0, 2, {{0x3f80, 0x3980, 0, 0x3980}, {0x3f80, 0x3980, 0, 0x3980}});                       /* 1 in even, 2*2^-24 in odd */
  ONE("tie-final", 0x3f800000, 1, {{0x3980, 0x3980}, {0x3980, 0x3980}});                                       /* C=1, even 2^-24, odd 2^-24 */
  ONE("tie-final2", 0x3f800000, 2, {{0x3980, 0, 0x3980, 0}, {0x3980, 0, 0x3980, 0}});
  ONE("order-cancel", 0x4b800000, 2, {{0x3f80, 0x4b80, 0x3f80, 0}, {0x3f80, 0xbf80, 0x3f80, 0}});              /* 2^24 + ((1+1) - 2^24) */
  static const h dn[] = {0x0001, 0x8001, 0x007f, 0x807f, 0x0040, 0x3f80, 0x0080, 0x7e80, 0xbf80, 0};
  static const w cz[] = {0, 0x80000000, 0x3f800000, 0x00000001, 0x80000001, 0x007fffff, 0x807fffff, 0x00800000};
  for (int i = 0; i < 4; i++) { pick(L(dn), L(dn), L(cz)); run("bf16-denormal", 4, 3, 4); }
  ONE("daz-a", 0x3f800000, 1, {{0x007f, 0}, {0x7f00, 0}});
  ONE("c-denormal", 0x00400000, 1, {{0, 0}, {0, 0}});
  ONE("c-denormal-neg", 0x80400000, 1, {{0, 0}, {0, 0}});
  ONE("c-denormal-plus-min", 0x00400000, 1, {{0x3f80, 0}, {0x0080, 0}});
  ONE("ftz-product", 0, 1, {{0x2000, 0}, {0x1f00, 0}});                                                       /* 2^-63 * 2^-65 */
  ONE("ftz-sum-pos", 0, 2, {{0x0081, 0, 0x8080, 0}, {0x3f80, 0, 0x3f80, 0}});
  ONE("ftz-sum-neg", 0, 2, {{0x0080, 0, 0x8081, 0}, {0x3f80, 0, 0x3f80, 0}});
  ONE("ftz-even-odd", 0, 1, {{0x0080, 0x8081}, {0x3f80, 0x3f80}});
  ONE("ftz-final", 0x80800000, 1, {{0x0081, 0}, {0x3f80, 0}});
  ONE("tiny-after-rounding", 0, 2, {{0x0080, 0, 0x1a00, 0}, {0x3f80, 0, 0x9980, 0}});                           /* 2^-126 - 2^-151 */
  ONE("tiny-after-rounding2", 0, 2, {{0x0080, 0, 0x1a00, 0}, {0x3f80, 0, 0x9a00, 0}});                          /* 2^-126 - 2^-150 */
  ONE("fused-small", 0, 2, {{0x0080, 0, 0x1a80, 0}, {0x3f80, 0, 0x1a80, 0}});                                   /* 2^-126 + 2^-148: kept only if the product is not flushed */
  ONE("fused-small2", 0, 2, {{0x1a80, 0, 0x0080, 0}, {0x1a80, 0, 0x3f80, 0}});                                  /* the same in the other order */
  ONE("fused-big", 0, 2, {{0xff00, 0, 0x7f00, 0}, {0x3f80, 0, 0x4000, 0}});                                     /* -2^127 + 2^128 */
  ONE("overflow-product", 0, 1, {{0x7f7f, 0}, {0x7f7f, 0}});
  ONE("overflow-sum", 0, 2, {{0x7f7f, 0, 0x7f7f, 0}, {0x3f80, 0, 0x3f80, 0}});
  ONE("overflow-even-odd", 0xff7fffff, 1, {{0x7f7f, 0x7f7f}, {0x3f80, 0x3f80}});
  ONE("overflow-final", 0x7f7fffff, 1, {{0x7f00, 0}, {0x3f80, 0}});
  ONE("overflow-round", 0x7f7fffff, 1, {{0x7300, 0}, {0x3f80, 0}});                                            /* max + 2^103 : tie to Inf */
  ONE("no-overflow-round", 0x7f7fffff, 1, {{0x727f, 0}, {0x3f80, 0}});
  ONE("inf", 0x3f800000, 1, {{0x7f80, 0}, {0x3f80, 0}});
  ONE("inf-neg", 0x3f800000, 1, {{0x7f80, 0}, {0xbf80, 0}});
  ONE("inf*0", 0x3f800000, 1, {{0x7f80, 0}, {0, 0}});
  ONE("inf*denormal", 0x3f800000, 1, {{0x7f80, 0}, {1, 0}});
  ONE("inf-inf-chain", 0, 2, {{0x7f80, 0, 0x7f80, 0}, {0x3f80, 0, 0xbf80, 0}});
  ONE("inf-inf-even-odd", 0, 1, {{0x7f80, 0x7f80}, {0x3f80, 0xbf80}});
  ONE("inf-inf-final", 0xff800000, 1, {{0x7f80, 0}, {0x3f80, 0}});
  ONE("c-inf", 0xff800000, 1, {{0x3f80, 0x3f80}, {0x3f80, 0x3f80}});
  ONE("nan-a", 0x3f800000, 1, {{0x7fc5, 0}, {0x3f80, 0}});
  ONE("nan-b", 0x3f800000, 1, {{0x3f80, 0}, {0xffc6, 0}});
  ONE("snan-a", 0x3f800000, 1, {{0x7f85, 0}, {0x3f80, 0}});
  ONE("snan-b-odd", 0x3f800000, 1, {{0, 0x3f80}, {0, 0xff86}});
  ONE("nan-a-nan-b", 0, 1, {{0x7fc5, 0}, {0xffc6, 0}});
  ONE("nan-a-snan-b", 0, 1, {{0x7fc5, 0}, {0xff86, 0}});
  ONE("snan-a-nan-b", 0, 1, {{0x7f85, 0}, {0xffc6, 0}});
  ONE("nan-chain", 0, 2, {{0x7fc5, 0, 0x7fc7, 0}, {0x3f80, 0, 0x3f80, 0}});
  ONE("nan-chain-b", 0, 2, {{0x7fc5, 0, 0x3f80, 0}, {0x3f80, 0, 0x7fc7, 0}});
  ONE("nan-acc-inf*0", 0, 2, {{0x7fc5, 0, 0x7f80, 0}, {0x3f80, 0, 0, 0}});
  ONE("nan-even-nan-odd", 0, 1, {{0x7fc5, 0xffc7}, {0x3f80, 0x3f80}});
  ONE("nan-odd-only", 0, 1, {{0x3f80, 0xffc7}, {0x3f80, 0x3f80}});
  ONE("nan-c", 0x7fc12345, 1, {{0x3f80, 0x3f80}, {0x3f80, 0x3f80}});
  ONE("snan-c", 0x7f812345, 1, {{0x3f80, 0x3f80}, {0x3f80, 0x3f80}});
  ONE("nan-c-nan-a", 0xffc12345, 1, {{0x7fc5, 0x3f80}, {0x3f80, 0x3f80}});
  ONE("nan-a*0", 0x3f800000, 1, {{0x7fc5, 0}, {0, 0}});
  ONE("nan-denormal", 0x00000001, 1, {{0x7fc5, 0}, {0x0001, 0}});
  ONE("zero-neg-c", 0x80000000, 1, {{0, 0}, {0, 0}});
  ONE("zero-neg-all", 0x80000000, 1, {{0x8000, 0x8000}, {0x3f80, 0x3f80}});
  ONE("zero-pos", 0, 1, {{0x8000, 0x8000}, {0x3f80, 0x3f80}});
  ONE("zero-cancel", 0xbf800000, 1, {{0x3f80, 0}, {0x3f80, 0}});
  ONE("zero-cancel-even-odd", 0x80000000, 1, {{0x3f80, 0xbf80}, {0x3f80, 0x3f80}});
  for (int i = 0; i < 4; i++) { /* MXCSR must not matter: round up, down, to zero, nearest; exceptions unmasked; no DAZ, FTZ */
    static const w mx[] = {0x5f80, 0x3f80, 0x7f80, 0x0000}; mxcsr = mx[i];
    fill(110, 140, 110, 150); run("mxcsr", 2, 4, 2);
    pick(L(dn), L(dn), L(cz)); run("mxcsr-denormal", 3, 3, 3);
  }
  mxcsr = 0x1f80;
  fill(118, 130, 118, 134); run("partial", 5, 3, 7);
  fill(118, 130, 118, 134); run("partial", 1, 16, 1);
  fill(118, 130, 118, 134); run("partial", 16, 1, 1);
  fill(118, 130, 118, 134); run("partial", 1, 1, 16);
  fill(118, 130, 118, 134); run("partial", 3, 13, 2);
  fill(118, 130, 118, 134); run("full", 16, 16, 16);
  static const h sp[] = {0x7f80, 0xff80, 0x7fc1, 0xff82, 0x7f83, 0, 0x8000, 0x3f80, 0xbf80, 0x0001, 0x8003, 0x7f7f, 0xff7f, 0x0080, 0x8080, 0x4000, 0x2000, 0x9fff};
  static const w sc[] = {0, 0x80000000, 0x7f800000, 0xff800000, 0x7fc12345, 0xff854321, 1, 0x80000001, 0x7f7fffff, 0x3f800000, 0xbf800000, 0x00800000};
  for (int i = 0; i < 4; i++) { pick(L(sp), L(sp), L(sc)); run("special-mix", 4, 1, 4); }
  return 0;
}
