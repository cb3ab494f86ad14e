//! Host channel adapters (InfiniBand) and host Ethernet adapters: registers as Linux' drivers ehca and ehea use them.

hypercalls! { Adapter:
    H_RESET_EVENTS = 0x15c, ["adapter", "event queue", "events"] -> [],
        [H_ADAPTER_PARM, H_EQ_PARM, H_RH_PARM, H_HARDWARE],
        "clear events";
    H_ALLOC_RESOURCE = 0x160,
        ["adapter", "kind and controls", "by kind", "by kind", "by kind", "by kind", "by kind", "by kind", "by kind"] ->
        ["resource", "number", "by kind", "by kind", "pages", "by kind", "by kind"],
        [H_ADAPTER_PARM, H_PARAMETER, H_RH_PARM, H_NOT_ENOUGH_RESOURCES, H_RESOURCE, H_BUSY, H_HARDWARE,
            H_LONG_BUSY_ORDER_1_MSEC],
        "make a queue pair, completion or event queue, memory region or window";
    H_FREE_RESOURCE = 0x164, ["adapter", "resource", "1 = by force"] -> [],
        [H_ADAPTER_PARM, H_RH_PARM, H_RESOURCE, H_R_STATE, H_BUSY, H_HARDWARE, H_LONG_BUSY_ORDER_1_MSEC],
        "free a resource";
    H_MODIFY_QP = 0x168, ["adapter", "queue pair", "mask", "guest real address of attributes"] -> ["bad attribute"],
        [H_ADAPTER_PARM, H_RH_PARM, H_ATTR_PARM, H_MEM_PARM, H_NOT_ENOUGH_RESOURCES, H_BUSY, H_HARDWARE,
            H_LONG_BUSY_ORDER_1_MSEC],
        "change a queue pair";
    H_QUERY_QP = 0x16c, ["adapter", "queue pair", "guest real address for attributes"] -> [],
        [H_ADAPTER_PARM, H_RH_PARM, H_MEM_PARM, H_HARDWARE],
        "read a queue pair's attributes";
    H_REREGISTER_PMR = 0x170,
        ["adapter", "region", "address", "bytes", "access and protection domain", "control block"] ->
        ["reserved", "address", "local key", "remote key"],
        [H_ADAPTER_PARM, H_RH_PARM, H_MEM_PARM, H_MR_CONDITION, H_NOT_ENOUGH_RESOURCES, H_HARDWARE],
        "change a memory region";
    H_REGISTER_SMR = 0x174, ["adapter", "region to share", "address", "access", "protection domain"] ->
        ["region", "reserved", "local key", "remote key"],
        [H_ADAPTER_PARM, H_RH_PARM, H_MEM_PARM, H_NOT_ENOUGH_RESOURCES, H_HARDWARE],
        "register a shared memory region";
    H_QUERY_MR = 0x178, ["adapter", "region"] ->
        ["bytes", "address", "reserved", "reserved", "access", "keys"],
        [H_ADAPTER_PARM, H_RH_PARM, H_HARDWARE],
        "read a memory region's attributes";
    H_QUERY_MW = 0x17c, ["adapter", "window"] -> ["reserved", "reserved", "reserved", "remote key"],
        [H_ADAPTER_PARM, H_RH_PARM, H_HARDWARE],
        "read a memory window's attributes";
    H_QUERY_HCA = 0x180, ["adapter", "guest real address for attributes"] -> [],
        [H_ADAPTER_PARM, H_MEM_PARM, H_HARDWARE],
        "read a host channel adapter's attributes";
    H_QUERY_PORT = 0x184, ["adapter", "port", "guest real address for attributes"] -> [],
        [H_ADAPTER_PARM, H_PORT_PARM, H_MEM_PARM, H_HARDWARE],
        "read a port's attributes";
    H_MODIFY_PORT = 0x188, ["adapter", "port", "attributes"] -> [],
        [H_ADAPTER_PARM, H_PORT_PARM, H_ATTR_PARM, H_HARDWARE],
        "change a port";
    H_DEFINE_AQP1 = 0x18c, ["adapter", "queue pair", "port"] -> ["performance queue pair", "baseboard queue pair"],
        [H_ADAPTER_PARM, H_RH_PARM, H_PORT_PARM, H_ALIAS_EXIST, H_HARDWARE],
        "make a queue pair the alias of QP1";
    H_GET_TRACE_BUFFER = 0x190, ["adapter", "?"] -> ["?"],
        [H_ADAPTER_PARM, H_MEM_PARM, H_TRACE_PARM, H_HARDWARE],
        "read the trace";
    H_DEFINE_AQP0 = 0x194, ["adapter", "queue pair", "port"] -> [],
        [H_ADAPTER_PARM, H_RH_PARM, H_PORT_PARM, H_ALIAS_EXIST, H_HARDWARE],
        "make a queue pair the alias of QP0";
    H_RESIZE_MR = 0x198, ["adapter", "region", "?"] -> ["?"],
        [H_ADAPTER_PARM, H_RH_PARM, H_MEM_PARM, H_HARDWARE],
        "change a memory region's size";
    H_ATTACH_MCQP = 0x19c, ["adapter", "queue pair", "multicast DLID", "interface", "subnet prefix"] -> [],
        [H_ADAPTER_PARM, H_RH_PARM, H_MCG_PARM, H_MCG_FULL, H_NOT_ENOUGH_RESOURCES, H_HARDWARE],
        "put a queue pair into a multicast group";
    H_DETACH_MCQP = 0x1a0, ["adapter", "queue pair", "multicast DLID", "interface", "subnet prefix"] -> [],
        [H_ADAPTER_PARM, H_RH_PARM, H_MCG_PARM, H_HARDWARE],
        "take a queue pair out of a multicast group";
    H_CREATE_RPT = 0x1a4, ["adapter", "?"] -> ["?"],
        [H_ADAPTER_PARM, H_NOT_ENOUGH_RESOURCES, H_HARDWARE],
        "make a resource page table";
    H_REMOVE_RPT = 0x1a8, ["adapter", "?"] -> [],
        [H_ADAPTER_PARM, H_RT_PARM, H_HARDWARE],
        "remove a resource page table";
    H_REGISTER_RPAGES = 0x1ac, ["adapter", "page size and queue", "resource", "guest real address", "count"] -> [],
        [H_ADAPTER_PARM, H_RH_PARM, H_MEM_PARM, H_PAGE_REGISTERED, H_HARDWARE],
        "register a resource's pages";
    H_DISABLE_AND_GET = 0x1b0, ["adapter", "function", "queue pair"] -> ["next to send", "next to receive"],
        [H_ADAPTER_PARM, H_RH_PARM, H_HARDWARE],
        "stop a queue pair, and see where it stands";
    H_ERROR_DATA = 0x1b4, ["adapter", "resource", "guest real address for data"] -> [],
        [H_ADAPTER_PARM, H_RH_PARM, H_MEM_PARM, H_HARDWARE],
        "read what is known of an error";
    H_GET_HCA_INFO = 0x1b8, ["adapter", "?"] -> ["?"],
        [H_ADAPTER_PARM, H_MEM_PARM, H_HARDWARE],
        "read about the hardware";
    H_GET_PERF_COUNT = 0x1bc, ["adapter", "?"] -> ["?"],
        [H_ADAPTER_PARM, H_P_COUNTER, H_HARDWARE],
        "read a performance counter";
    H_MANAGE_TRACE = 0x1c0, ["adapter", "?"] -> ["?"],
        [H_ADAPTER_PARM, H_TRACE_PARM, H_HARDWARE],
        "switch the trace";
    H_QUERY_INT_STATE = 0x1e4, ["adapter", "interrupt source"] -> [],
        [H_ADAPTER_PARM, H_BUSY, H_HARDWARE],
        "see whether an interrupt is pending";
    H_MODIFY_HEA_QP = 0x250, ["adapter", "control block", "queue pair", "mask", "guest real address of attributes"] ->
        ["bad attribute", "reserved", "reserved", "send entries", "receive entries", "attributes changed"],
        [H_ADAPTER_PARM, H_RH_PARM, H_ATTR_PARM, H_MEM_PARM, H_HARDWARE],
        "change a queue pair";
    H_QUERY_HEA_QP = 0x254, ["adapter", "control block", "queue pair", "mask", "guest real address"] -> [],
        [H_ADAPTER_PARM, H_RH_PARM, H_MEM_PARM, H_HARDWARE],
        "read a queue pair's attributes";
    H_QUERY_HEA = 0x258, ["adapter", "guest real address for attributes"] -> [],
        [H_ADAPTER_PARM, H_MEM_PARM, H_HARDWARE],
        "read a host Ethernet adapter's attributes";
    H_QUERY_HEA_PORT = 0x25c, ["adapter", "control block and port", "mask", "index", "guest real address"] -> [],
        [H_ADAPTER_PARM, H_PORT_PARM, H_MEM_PARM, H_HARDWARE],
        "read a port's attributes";
    H_MODIFY_HEA_PORT = 0x260, ["adapter", "control block and port", "mask", "index", "guest real address"] -> [],
        [H_ADAPTER_PARM, H_PORT_PARM, H_ATTR_PARM, H_MEM_PARM, H_AUTHORITY, H_HARDWARE],
        "change a port";
    H_REG_BCMC = 0x264, ["adapter", "port", "kind", "MAC address", "VLAN"] -> [],
        [H_ADAPTER_PARM, H_PORT_PARM, H_MCG_PARM, H_MCG_FULL, H_HARDWARE],
        "receive broadcast or multicast frames";
    H_DEREG_BCMC = 0x268, ["adapter", "port", "kind", "MAC address", "VLAN"] -> [],
        [H_ADAPTER_PARM, H_PORT_PARM, H_MCG_PARM, H_HARDWARE],
        "receive them no more";
    H_REGISTER_HEA_RPAGES = 0x26c, ["adapter", "page size and queue", "resource", "guest real address", "count"] -> [],
        [H_ADAPTER_PARM, H_RH_PARM, H_MEM_PARM, H_PAGE_REGISTERED, H_HARDWARE],
        "register a resource's pages";
    H_DISABLE_AND_GET_HEA = 0x270, ["adapter", "function", "queue pair"] -> ["next to send", "next to receive"],
        [H_ADAPTER_PARM, H_RH_PARM, H_HARDWARE],
        "stop a queue pair, and see where it stands";
    H_GET_HEA_INFO = 0x274, ["adapter", "?"] -> ["?"],
        [H_ADAPTER_PARM, H_MEM_PARM, H_HARDWARE],
        "read about the hardware";
    H_ALLOC_HEA_RESOURCE = 0x278,
        ["adapter", "kind and controls", "by kind", "by kind", "by kind", "by kind", "by kind", "by kind", "by kind"] ->
        ["resource", "number", "by kind", "entries", "pages", "by kind", "by kind", "by kind", "by kind"],
        [H_ADAPTER_PARM, H_PARAMETER, H_RH_PARM, H_NOT_ENOUGH_RESOURCES, H_RESOURCE, H_BUSY, H_HARDWARE,
            H_LONG_BUSY_ORDER_1_MSEC],
        "make a queue pair, completion or event queue, or memory region";
    H_ADD_CONN = 0x284, ["adapter", "?"] -> [],
        [H_ADAPTER_PARM, H_TABLE_FULL, H_ALT_TABLE, H_HARDWARE],
        "add a connection to the table of a queue pair";
    H_DEL_CONN = 0x288, ["adapter", "?"] -> [],
        [H_ADAPTER_PARM, H_NOT_FOUND, H_HARDWARE],
        "remove a connection";
}
