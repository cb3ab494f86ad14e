//! OSI calls (Mac-on-Linux): `sc` with two magic numbers, from any privilege.
//!
//! The selector goes in r5, arguments in r6 to r10; results come in r3 and up. Numbers are Mac-on-Linux's.

/// Low word of r3.
pub const MAGIC_R3: u32 = 0x1137_24fa;
/// Low word of r4.
pub const MAGIC_R4: u32 = 0x7781_0f9b;

/// r6 = selector; returns 1 when it is answered, otherwise 0.
pub const CALL_AVAILABLE: u32 = 0;
/// Returns seconds since 1970 (UTC).
pub const GET_GMT_TIME: u32 = 7;
/// Returns seconds since 1904 in local time.
pub const GET_LOCALTIME: u32 = 9;
/// r6 = character for the log.
pub const LOG_PUTC: u32 = 47;
/// r6 = character for the terminal.
pub const TTY_PUTC: u32 = 97;
/// Returns a character from the terminal, -1 when there is none.
pub const TTY_GETC: u32 = 98;

/// Seconds from the beginning of 1904, where a Macintosh counts from, to that of 1970.
pub const SECONDS_1904_TO_1970: u32 = 0x7c25_b080;

/// Selectors by name.
#[rustfmt::skip]
pub const SELECTORS: &[(u32, &str)] = &[
    (CALL_AVAILABLE, "CALL_AVAILABLE"), (1, "DEBUGGER"), (4, "CMOUNT_DRV_VOL"), (GET_GMT_TIME, "GET_GMT_TIME"),
    (8, "MOUSE_CNTRL"), (GET_LOCALTIME, "GET_LOCALTIME"), (10, "ENET_OPEN"), (11, "ENET_CLOSE"), (12, "ENET_GET_ADDR"),
    (13, "ENET_GET_STATUS"), (14, "ENET_CONTROL"), (16, "ENET_ADD_MULTI"), (17, "ENET_DEL_MULTI"),
    (18, "ENET_GET_PACKET"), (19, "ENET_SEND_PACKET"), (20, "OF_INTERFACE"), (21, "OF_TRAP"), (22, "OF_RTAS"),
    (23, "SCSI_CNTRL"), (24, "SCSI_SUBMIT"), (25, "SCSI_ACK"), (26, "GET_MOUSE"), (27, "ACK_MOUSE_IRQ"),
    (28, "SET_VMODE"), (29, "GET_VMODE_INFO"), (30, "GET_MOUSE_DPI"), (31, "SET_VIDEO_POWER"), (32, "GET_FB_INFO"),
    (33, "SOUND_WRITE"), (35, "SOUND_SET_VOLUME"), (36, "SOUND_CNTL"), (38, "VIDEO_ACK_IRQ"), (39, "VIDEO_CNTRL"),
    (40, "SOUND_IRQ_ACK"), (41, "SOUND_START_STOP"), (42, "REGISTER_IRQ"), (LOG_PUTC, "LOG_PUTC"), (50, "KBD_CNTRL"),
    (51, "GET_ADB_KEY"), (52, "WRITE_NVRAM_BYTE"), (53, "READ_NVRAM_BYTE"), (54, "EXIT"), (55, "KEYCODE_TO_ADB"),
    (56, "MAP_ADB_KEY"), (57, "SAVE_KEYMAPPING"), (58, "USLEEP"), (59, "SET_COLOR"), (60, "PIC_MASK_IRQ"),
    (61, "PIC_UNMASK_IRQ"), (62, "PIC_ACK_IRQ"), (63, "PIC_GET_ACTIVE_IRQ"), (64, "GET_COLOR"), (65, "IRQTEST"),
    (68, "ENET2_OPEN"), (69, "ENET2_CLOSE"), (70, "ENET2_CNTRL"), (71, "ENET2_RING_SETUP"), (72, "ENET2_KICK"),
    (73, "ENET2_GET_HWADDR"), (74, "ENET2_IRQ_ACK"), (76, "PROM_IFACE"), (77, "PROM_PATH_IFACE"), (78, "BOOT_HELPER"),
    (79, "ABLK_RING_SETUP"), (80, "ABLK_CNTRL"), (81, "ABLK_DISK_INFO"), (82, "ABLK_KICK"), (83, "ABLK_IRQ_ACK"),
    (84, "ABLK_SYNC_READ"), (85, "ABLK_SYNC_WRITE"), (86, "ABLK_BLESS_DISK"), (89, "EMUACCEL"), (90, "MAPIN_MREGS"),
    (91, "NVRAM_SIZE"), (92, "MTICKS_TO_USECS"), (93, "USECS_TO_MTICKS"), (96, "PSEUDO_FS"), (TTY_PUTC, "TTY_PUTC"),
    (TTY_GETC, "TTY_GETC"), (99, "TTY_IRQ_ACK"),
];

/// The name of a selector.
pub fn name(selector: u32) -> Option<&'static str> {
    SELECTORS.iter().find(|(number, _)| *number == selector).map(|(_, name)| *name)
}
