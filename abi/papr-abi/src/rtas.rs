//! RTAS calls: names as properties of `/rtas`, tokens, argument counts, status words.
//!
//! Tokens are QEMU's: a guest reads them from the tree, but so traces can be compared.
//!
//! The argument buffer is big-endian 32-bit cells: token, number of inputs, number of outputs, inputs, outputs; the
//! first output is the status.

/// One call with one form of its arguments; a call with two forms has one token and two of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Property name.
    pub name: &'static str,
    /// Token.
    pub token: u32,
    /// Number of inputs.
    pub inputs: u32,
    /// Number of outputs, status included; `quiesce` has none.
    pub outputs: u32,
}

macro_rules! calls {
    ($($const:ident = $token:literal, $name:literal, $inputs:literal, $outputs:literal;)*) => {
        $(#[doc = concat!("`", $name, "`.")]
        pub const $const: Call = Call { name: $name, token: $token, inputs: $inputs, outputs: $outputs };)*
        /// Every form of every call that is known here, implemented or not.
        pub const CALLS: &[Call] = &[$($const),*];
    };
}

calls! {
    DISPLAY_CHARACTER = 0x2000, "display-character", 1, 1;
    GET_TIME_OF_DAY = 0x2001, "get-time-of-day", 0, 8;
    SET_TIME_OF_DAY = 0x2002, "set-time-of-day", 7, 1;
    POWER_OFF = 0x2003, "power-off", 2, 1;
    SYSTEM_REBOOT = 0x2004, "system-reboot", 0, 1;
    QUERY_CPU_STOPPED_STATE = 0x2005, "query-cpu-stopped-state", 1, 2;
    START_CPU = 0x2006, "start-cpu", 3, 1;
    STOP_SELF = 0x2007, "stop-self", 0, 1;
    GET_SYSTEM_PARAMETER = 0x2008, "ibm,get-system-parameter", 3, 1;
    SET_SYSTEM_PARAMETER = 0x2009, "ibm,set-system-parameter", 2, 1;
    SET_XIVE = 0x200a, "ibm,set-xive", 3, 1;
    GET_XIVE = 0x200b, "ibm,get-xive", 1, 3;
    INT_OFF = 0x200c, "ibm,int-off", 1, 1;
    INT_ON = 0x200d, "ibm,int-on", 1, 1;
    CHECK_EXCEPTION = 0x200e, "check-exception", 6, 1;
    CHECK_EXCEPTION_LONG = 0x200e, "check-exception", 7, 1;
    EVENT_SCAN = 0x200f, "event-scan", 4, 1;
    SET_TCE_BYPASS = 0x2010, "ibm,set-tce-bypass", 2, 1;
    QUIESCE = 0x2011, "quiesce", 0, 0;
    NVRAM_FETCH = 0x2012, "nvram-fetch", 3, 2;
    NVRAM_STORE = 0x2013, "nvram-store", 3, 2;
    READ_PCI_CONFIG_PLAIN = 0x2014, "read-pci-config", 2, 2;
    WRITE_PCI_CONFIG_PLAIN = 0x2015, "write-pci-config", 3, 1;
    READ_PCI_CONFIG = 0x2016, "ibm,read-pci-config", 4, 2;
    WRITE_PCI_CONFIG = 0x2017, "ibm,write-pci-config", 5, 1;
    QUERY_INTERRUPT_SOURCE_NUMBER = 0x2018, "ibm,query-interrupt-source-number", 4, 3;
    CHANGE_MSI = 0x2019, "ibm,change-msi", 6, 4;
    CHANGE_MSI_SHORT = 0x2019, "ibm,change-msi", 6, 3;
    SET_INDICATOR = 0x201a, "set-indicator", 3, 1;
    SET_POWER_LEVEL = 0x201b, "set-power-level", 2, 2;
    GET_POWER_LEVEL = 0x201c, "get-power-level", 1, 2;
    GET_SENSOR_STATE = 0x201d, "get-sensor-state", 2, 2;
    CONFIGURE_CONNECTOR = 0x201e, "ibm,configure-connector", 2, 1;
    OS_TERM = 0x201f, "ibm,os-term", 1, 1;
    SET_EEH_OPTION = 0x2020, "ibm,set-eeh-option", 4, 1;
    GET_CONFIG_ADDR_INFO2 = 0x2021, "ibm,get-config-addr-info2", 4, 2;
    READ_SLOT_RESET_STATE2 = 0x2022, "ibm,read-slot-reset-state2", 3, 4;
    READ_SLOT_RESET_STATE2_LONG = 0x2022, "ibm,read-slot-reset-state2", 3, 5;
    SET_SLOT_RESET = 0x2023, "ibm,set-slot-reset", 4, 1;
    CONFIGURE_PE = 0x2024, "ibm,configure-pe", 3, 1;
    SLOT_ERROR_DETAIL = 0x2025, "ibm,slot-error-detail", 8, 1;
    QUERY_PE_DMA_WINDOW = 0x2026, "ibm,query-pe-dma-window", 3, 5;
    QUERY_PE_DMA_WINDOW_LONG = 0x2026, "ibm,query-pe-dma-window", 3, 6;
    CREATE_PE_DMA_WINDOW = 0x2027, "ibm,create-pe-dma-window", 5, 4;
    REMOVE_PE_DMA_WINDOW = 0x2028, "ibm,remove-pe-dma-window", 1, 1;
    RESET_PE_DMA_WINDOW = 0x2029, "ibm,reset-pe-dma-window", 3, 1;
    SUSPEND_ME = 0x202a, "ibm,suspend-me", 0, 1;
    NMI_REGISTER = 0x202b, "ibm,nmi-register", 2, 1;
    NMI_INTERLOCK = 0x202c, "ibm,nmi-interlock", 0, 1;
}

/// Done.
pub const SUCCESS: i32 = 0;
/// Hardware error, or no such object.
pub const HARDWARE: i32 = -1;
/// Parameter error, or the call does not exist.
pub const PARAMETER: i32 = -3;

/// The caller may not do this.
pub const NOT_AUTHORIZED: i32 = -9002;
/// A system parameter's buffer does not suit.
pub const SYSTEM_PARAMETER_BUFFER: i32 = -9999;

/// System parameters by number.
pub mod system_parameter {
    /// Entitlement and sizes of the partition, as text.
    pub const SPLPAR_CHARACTERISTICS: u32 = 20;
    /// Name of the partition.
    pub const LPAR_NAME: u32 = 55;
}

/// What ibm,change-msi is asked to do (PAPR 7.3.10.5).
pub mod change_msi {
    /// Say how many messages there are.
    pub const QUERY: u32 = 0;
    /// Set their number, of the kind that the platform likes.
    pub const CHANGE: u32 = 1;
    /// Go back to the number of the beginning.
    pub const RESET: u32 = 2;
    /// Set the number of MSI.
    pub const CHANGE_MSI: u32 = 3;
    /// Set the number of MSI-X.
    pub const CHANGE_MSIX: u32 = 4;
    /// The same with addresses of 32 bits.
    pub const CHANGE_MSI_32: u32 = 5;
    /// The same with addresses of 32 bits.
    pub const CHANGE_MSIX_32: u32 = 6;
}

/// Most inputs and outputs together.
pub const MAX_CELLS: u32 = 16;

/// The code of the RTAS entry, big-endian: moves the argument address to r4, loads H_RTAS, `sc 1`, returns.
pub const ENTRY: [u32; 5] = [0x7c64_1b78, 0x3c60_0000, 0x6063_f000, 0x4400_0022, 0x4e80_0020];
