//! Virtual processors (LoPAR 14.5.4.3, 14.11).

hypercalls! { Processor:
    H_SET_SPRG0 = 0x24, ["value"] -> [],
        [],
        "set SPRG0";
    H_SET_DABR = 0x28, ["DABR"] -> [],
        [H_HARDWARE, H_RESERVED_DABR],
        "set the data address breakpoint";
    H_SET_ASR = 0x30, ["ASR"] -> [],
        [H_PARAMETER],
        "set the address space register of RS64 processors";
    H_ASR_ON = 0x34, [] -> [],
        [],
        "make the ASR valid";
    H_ASR_OFF = 0x38, [] -> [],
        [],
        "make the ASR invalid";
    H_PERFMON = 0x7c, ["modes to set", "modes to reset"] -> ["modes"],
        [H_PARAMETER, H_RESOURCE],
        "switch performance monitoring";
    H_REGISTER_VPA = 0xdc, ["flags", "processor", "guest real address"] -> [],
        [H_PARAMETER, H_RESOURCE, H_HARDWARE, H_MLENGTH_PARM, H_BUSY],
        "register an area that the hypervisor shares with a processor";
    H_CEDE = 0xe0, [] -> [],
        [],
        "wait with interrupts enabled";
    H_CONFER = 0xe4, ["processor, -1 = all", "its yield count"] -> [],
        [H_PARAMETER],
        "give time to another processor";
    H_PROD = 0xe8, ["processor"] -> [],
        [H_PARAMETER],
        "wake a processor that waits";
    H_SET_XDABR = 0x134, ["DABR", "DABRX"] -> [],
        [H_PARAMETER, H_HARDWARE, H_RESERVED_DABR],
        "set the data address breakpoint and its extension";
    H_JOIN = 0x298, [] -> [],
        [H_CONTINUE, H_BAD_MODE],
        "stop until prodded; the last processor goes on";
    H_HOME_NODE_ASSOCIATIVITY = 0x2ec, ["flags, 1 = processor", "processor"] ->
        ["identifiers 0, 1", "identifiers 2, 3", "identifiers 4, 5", "identifiers 6, 7", "identifiers 8, 9",
            "identifiers 10, 11"],
        [H_PARAMETER, H_P2],
        "where a processor is";
    H_SIGNAL_SYS_RESET = 0x380, ["processor, -1 = all, -2 = all others"] -> [],
        [H_PARAMETER],
        "interrupt processors with a system reset";
}
