/* Addresses and offsets that the harness, its assembly part and src/reference.rs share.
 *
 * The state block lies below 32 KiB, so that every register can be loaded and stored with a displacement from 0:
 * the case owns all 32 GPRs, LR and CTR, and no register is left to hold an address. */

#define IN 0x1000           /* state before the case */
#define OUT 0x1800          /* state after it */
#define HOST 0x2000         /* the harness's own r1, r2, r13; 32 bytes on, room for a vector; 64 bytes on, zeros */
#define LOW_BYTES 0x2000    /* from IN on */

#define DATA 0x4000         /* the case's data area */
#define DATA_BYTES 512

#define CODE 0x1000000      /* SLOTS slots of code, one a case */
#define SLOT_WORDS 16       /* preamble, case, branch to the exit */
#define PREAMBLE_WORDS 3
#define CASE_WORDS 12
#define SLOTS 1024

/* Offsets in a state: 32 GPRs, then these, then 64 VSRs as doubleword 0 and 1, then what SPE adds. All doublewords;
 * a 32-bit register is the low word of its doubleword. */
#define CR 256
#define XER 264
#define LR 272
#define CTR 280
#define TAR 288
#define FPSCR 296
#define VSCR 304
#define VRSAVE 312
#define VSR 320
#define HIGH 1344           /* upper words of the GPRs */
#define ACC 1600
#define SPEFSCR 1608
#define STATE_BYTES 1616

/* How a GPR is loaded from its doubleword and stored to it. */
#ifdef __powerpc64__
#define LOAD ld
#define STORE std
#define LOW 0
#else
#define LOAD lwz
#define STORE stw
#define LOW 4
#endif
