//! Hypercall numbers (r3 of `sc 1`).

macro_rules! hcalls {
    ($($name:ident = $value:literal;)*) => {
        $(#[doc = concat!("`", stringify!($name), "`.")] pub const $name: u64 = $value;)*
        /// Number and name of the calls that are known here, implemented or not.
        pub const NAMES: &[(u64, &str)] = &[$(($value, stringify!($name))),*];
    };
}

hcalls! {
    H_REMOVE = 0x04;
    H_ENTER = 0x08;
    H_READ = 0x0c;
    H_CLEAR_MOD = 0x10;
    H_CLEAR_REF = 0x14;
    H_PROTECT = 0x18;
    H_GET_TCE = 0x1c;
    H_PUT_TCE = 0x20;
    H_SET_SPRG0 = 0x24;
    H_SET_DABR = 0x28;
    H_PAGE_INIT = 0x2c;
    H_LOGICAL_CI_LOAD = 0x3c;
    H_LOGICAL_CI_STORE = 0x40;
    H_GET_TERM_CHAR = 0x54;
    H_PUT_TERM_CHAR = 0x58;
    H_EOI = 0x64;
    H_CPPR = 0x68;
    H_IPI = 0x6c;
    H_IPOLL = 0x70;
    H_XIRR = 0x74;
    H_REGISTER_VPA = 0xdc;
    H_CEDE = 0xe0;
    H_CONFER = 0xe4;
    H_PROD = 0xe8;
    H_GET_PPP = 0xec;
    H_BULK_REMOVE = 0x124;
    H_SET_XDABR = 0x134;
    H_STUFF_TCE = 0x138;
    H_PUT_TCE_INDIRECT = 0x13c;
    H_GET_CPU_CHARACTERISTICS = 0x1c8;
    H_JOIN = 0x298;
    H_HOME_NODE_ASSOCIATIVITY = 0x2ec;
    H_XIRR_X = 0x2fc;
    H_RANDOM = 0x300;
    H_SET_MODE = 0x31c;
    H_BLOCK_REMOVE = 0x328;
    H_CLEAR_HPT = 0x358;
    H_RESIZE_HPT_PREPARE = 0x36c;
    H_RESIZE_HPT_COMMIT = 0x370;
    H_REGISTER_PROC_TBL = 0x37c;
    H_SIGNAL_SYS_RESET = 0x380;
    H_QUERY_VAS_CAPABILITIES = 0x398;
    H_INT_GET_SOURCE_INFO = 0x3a8;
    H_INT_SET_SOURCE_CONFIG = 0x3ac;
    H_INT_GET_SOURCE_CONFIG = 0x3b0;
    H_INT_GET_QUEUE_INFO = 0x3b4;
    H_INT_SET_QUEUE_CONFIG = 0x3b8;
    H_INT_GET_QUEUE_CONFIG = 0x3bc;
    H_INT_SET_OS_REPORTING_LINE = 0x3c0;
    H_INT_GET_OS_REPORTING_LINE = 0x3c4;
    H_INT_ESB = 0x3c8;
    H_INT_SYNC = 0x3cc;
    H_INT_RESET = 0x3d0;
    H_SCM_READ_METADATA = 0x3e4;
    H_SCM_WRITE_METADATA = 0x3e8;
    H_SCM_BIND_MEM = 0x3ec;
    H_SCM_UNBIND_MEM = 0x3f0;
    H_SCM_QUERY_BLOCK_MEM_BINDING = 0x3f4;
    H_SCM_QUERY_LOGICAL_MEM_BINDING = 0x3f8;
    H_SCM_UNBIND_ALL = 0x3fc;
    H_SCM_HEALTH = 0x400;
    H_SCM_PERFORMANCE_STATS = 0x418;
    H_RPT_INVALIDATE = 0x448;
    H_SCM_FLUSH = 0x44c;
    H_WATCHDOG = 0x45c;
    H_RTAS = 0xf000;
    H_GET_24X7_CATALOG_PAGE = 0xf078;
    H_GET_24X7_DATA = 0xf07c;
    H_GET_PERF_COUNTER_INFO = 0xf080;
}

/// The name of call `number`, if it has one here.
pub fn name(number: u64) -> Option<&'static str> {
    NAMES.iter().find(|(n, _)| *n == number).map(|(_, name)| *name)
}

/// H_REGISTER_PROC_TBL flags.
pub mod proc_tbl {
    /// Register a new table.
    pub const NEW: u64 = 0x18;
    /// Remove the registration.
    pub const DEREGISTER: u64 = 0x10;
    /// Radix trees.
    pub const RADIX: u64 = 0x04;
    /// Hash with segment tables.
    pub const HASH_SEGMENT_TABLES: u64 = 0x02;
    /// The guest executes tlbie itself.
    pub const GTSE: u64 = 0x01;
}

/// H_SET_MODE resources.
pub mod set_mode {
    /// Completed instruction address breakpoint.
    pub const CIABR: u64 = 1;
    /// Data address watchpoint 0.
    pub const DAWR0: u64 = 2;
    /// Address translation mode on interrupt.
    pub const ADDR_TRANS_MODE: u64 = 3;
    /// Interrupt endianness.
    pub const LE: u64 = 4;
}

/// H_PAGE_INIT flags.
pub mod page_init {
    /// Fill the page with zeros.
    pub const ZERO_PAGE: u64 = 1 << 15;
    /// Copy the source page.
    pub const COPY_PAGE: u64 = 1 << 14;
    /// Make the instruction cache see it.
    pub const ICACHE_INVALIDATE: u64 = 1 << 13;
    /// The same, with the data cache written back.
    pub const ICACHE_SYNCHRONIZE: u64 = 1 << 12;
}

/// H_SIGNAL_SYS_RESET targets that are not one vCPU.
pub mod sys_reset {
    /// All vCPUs.
    pub const ALL: u64 = -1_i64 as u64;
    /// All but the caller.
    pub const ALL_OTHERS: u64 = -2_i64 as u64;
}
