//! What an ultravisor asks for a secure virtual machine. Whoever is none is in the wrong context: H_UNSUPPORTED, as KVM
//! answers where `MSR[S]` is 0.

hypercalls! { Secure:
    H_SVM_PAGE_IN = 0xef00, ["guest real address", "flags, 1 = shared", "log2 bytes"] -> [],
        [H_PARAMETER, H_P2, H_P3],
        "move a page into secure memory", else H_UNSUPPORTED;
    H_SVM_PAGE_OUT = 0xef04, ["guest real address", "flags, 0", "log2 bytes"] -> [],
        [H_PARAMETER, H_P2, H_P3],
        "move a page out of secure memory", else H_UNSUPPORTED;
    H_SVM_INIT_START = 0xef08, [] -> [],
        [H_STATE, H_PARAMETER, H_RESOURCE],
        "begin to make a guest secure", else H_UNSUPPORTED;
    H_SVM_INIT_DONE = 0xef0c, [] -> [],
        [H_STATE],
        "the guest is secure", else H_UNSUPPORTED;
    H_SVM_INIT_ABORT = 0xef14, [] -> [],
        [H_PARAMETER],
        "give up making a guest secure", else H_UNSUPPORTED;
}
