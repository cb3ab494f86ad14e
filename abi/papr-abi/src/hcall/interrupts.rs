//! XICS presentation (LoPAR 14.5.4.6).

hypercalls! { Interrupts:
    H_EOI = 0x64, ["XIRR"] -> [],
        [H_PARAMETER, H_HARDWARE],
        "end an interrupt";
    H_CPPR = 0x68, ["priority"] -> [],
        [H_HARDWARE],
        "set the current processor priority";
    H_IPI = 0x6c, ["server", "MFRR"] -> [],
        [H_PARAMETER, H_HARDWARE],
        "interrupt a processor";
    H_IPOLL = 0x70, ["server"] -> ["XIRR", "MFRR"],
        [H_PARAMETER, H_HARDWARE],
        "look at what is pending";
    H_XIRR = 0x74, ["priority, ignored"] -> ["XIRR"],
        [H_HARDWARE],
        "accept an interrupt";
    H_XIRR_X = 0x2fc, ["priority"] -> ["XIRR", "timebase"],
        [H_HARDWARE],
        "accept an interrupt, and when it came";
}
