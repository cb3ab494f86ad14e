//! Simplified mnemonics (Power ISA Book I, appendix C; Book II and III where they define some), as data.
//!
//! The first form whose condition holds gives name and operands. `ISA` is the model's level, `WIDE` is 1 if it has 64
//! bits. Conditions and operand templates name the operands of
//! the `asm` column and fields of the picture, alone or as `operand>>n`, `operand&n`, `#operand` (its bits that are 1)
//! and `n-operand`; `cr~expression` prints `cr` before the number. In names, `?` stands for the
//! condition in BI and `!` for its opposite, `^` for the one in TO, `%` for the name of the SPR (a form whose name
//! cannot be completed does not apply), `$` for the prediction of a branch by the last bit of BO, `<` for the first two letters of the row's name and `*` for the rest.

/// One way to write instructions.
pub struct Form {
    /// Rows it is for.
    pub rows: &'static str,
    /// Terms `a=b`, `a!=b` and `a>=b`, all of which must hold.
    pub when: &'static str,
    /// Mnemonic, or [`INVALID`].
    pub name: &'static str,
    /// Operand template, in `asm` syntax without marks; operands in brackets are left out when 0.
    pub asm: &'static str,
}

/// Name of the forms that objdump does not take for an instruction.
pub const INVALID: &str = "";

const fn form(rows: &'static str, when: &'static str, name: &'static str, asm: &'static str) -> Form {
    Form { rows, when, name, asm }
}

const fn invalid(rows: &'static str, when: &'static str) -> Form {
    form(rows, when, INVALID, "")
}

/// Loads with update that need RA other than 0 and RT.
const LOADS_WITH_UPDATE: &str = "lbzu lbzux lhzu lhzux lhau lhaux lwzu lwzux lwaux ldu ldux";
/// Further loads and stores with update: RA must not be 0.
const OTHERS_WITH_UPDATE: &str =
    "stbu stbux sthu sthux stwu stwux stdu stdux lfsu lfsux lfdu lfdux stfsu stfsux stfdu stfdux";
/// Prefixed loads and stores of GPRs.
const PREFIXED_LOADS: &str = "plbz plhz plha plwz plwa pld";
/// Those of FPRs.
const PREFIXED_FLOAT_LOADS: &str = "plfs plfd";
const PREFIXED_FLOAT_STORES: &str = "pstfs pstfd";
const PREFIXED_STORES: &str = "pstb psth pstw pstd";
/// Those of vector-scalar registers, of which the scalar ones name vector registers.
const PREFIXED_SCALAR_LOADS: &str = "plxsd plxssp";
const PREFIXED_SCALAR_STORES: &str = "pstxsd pstxssp";
/// Loads and stores for which objdump prints r0 where RA = 0 means the value 0.
const SPE_LOADS_INDEXED: &str =
    "evlddx evldwx evldhx evlhhesplatx evlhhousplatx evlhhossplatx evlwhex evlwhoux evlwhosx evlwwsplatx evlwhsplatx";
/// The stores among them.
const SPE_STORES_INDEXED: &str = "evstddx evstdwx evstdhx evstwhex evstwhox evstwwex evstwwox";
/// Decimal floating point with a pair of FPRs as target.
const DECIMAL_PAIRS: &str = "daddq dsubq dmulq ddivq dquaiq dquaq drrndq drintxq drintnq dctqpq drdpq dcffixq \
    ddedpdq denbcdq diexq dscliq dscriq";

/// Outer products of the matrix-multiply assist.
const OUTER: &str = "xvi4ger8 xvi4ger8pp xvi8ger4 xvi8ger4pp xvi8ger4spp xvi16ger2 xvi16ger2pp xvi16ger2s xvi16ger2spp \
    xvbf16ger2 xvbf16ger2pp xvbf16ger2pn xvbf16ger2np xvbf16ger2nn xvf16ger2 xvf16ger2pp xvf16ger2pn \
    xvf16ger2np xvf16ger2nn xvf32ger xvf32gerpp xvf32gerpn xvf32gernp xvf32gernn";
const OUTER_DOUBLE: &str = "xvf64ger xvf64gerpp xvf64gerpn xvf64gernp xvf64gernn";
const OUTER_MASKED_8: &str = "pmxvi4ger8 pmxvi4ger8pp";
const OUTER_MASKED_4: &str = "pmxvi8ger4 pmxvi8ger4pp pmxvi8ger4spp";
const OUTER_MASKED_2: &str = "pmxvi16ger2 pmxvi16ger2pp pmxvi16ger2s pmxvi16ger2spp pmxvbf16ger2 pmxvbf16ger2pp pmxvbf16ger2pn \
    pmxvbf16ger2np pmxvbf16ger2nn pmxvf16ger2 pmxvf16ger2pp pmxvf16ger2pn pmxvf16ger2np pmxvf16ger2nn";
const OUTER_MASKED: &str = "pmxvf32ger pmxvf32gerpp pmxvf32gerpn pmxvf32gernp pmxvf32gernn";
const OUTER_MASKED_DOUBLE: &str = "pmxvf64ger pmxvf64gerpp pmxvf64gerpn pmxvf64gernp pmxvf64gernn";

/// The forms, in the order in which they are tried.
#[rustfmt::skip]
pub const FORMS: &[Form] = &[
    // Branches as before Power ISA 2.00: the last bit of BO reverses the prediction.
    form("bc",             "205>=ISA BO&28=12", "b?$",  "[cr~BI>>2,]BD"),
    form("bc",             "205>=ISA BO&28=4",  "b!$",  "[cr~BI>>2,]BD"),
    form("bc",             "205>=ISA BO&22=16 BI=0", "bdnz$", "BD"),
    form("bc",             "205>=ISA BO&22=18 BI=0", "bdz$",  "BD"),
    form("bc",             "205>=ISA BO&30=8",  "bdnzt$", "BI,BD"),
    form("bc",             "205>=ISA BO&30=0",  "bdnzf$", "BI,BD"),
    form("bc",             "205>=ISA BO&30=10", "bdzt$",  "BI,BD"),
    form("bc",             "205>=ISA BO&30=2",  "bdzf$",  "BI,BD"),
    form("bclr bcctr",     "205>=ISA BO&30=12", "b?*$", "[cr~BI>>2,BH]"),
    form("bclr bcctr",     "205>=ISA BO&30=4",  "b!*$", "[cr~BI>>2,BH]"),
    form("bclr bcctr",     "205>=ISA BO=20 BI=0", "b*", "[BH]"),
    form("bclr",           "205>=ISA BO&30=16 BI=0", "bdnz*$", "[BH]"),
    form("bclr",           "205>=ISA BO&30=18 BI=0", "bdz*$", "[BH]"),
    form("bclr",           "205>=ISA BO&30=8",  "bdnzt*$", "BI[,BH]"),
    form("bclr",           "205>=ISA BO&30=0",  "bdnzf*$", "BI[,BH]"),
    form("bclr",           "205>=ISA BO&30=10", "bdzt*$", "BI[,BH]"),
    form("bclr",           "205>=ISA BO&30=2",  "bdzf*$", "BI[,BH]"),
    invalid("bc bclr bcctr", "205>=ISA BO&22=6"),
    invalid("bc bclr bcctr", "205>=ISA BO&28=24"),
    invalid("bc bclr bcctr", "205>=ISA BO&20=20 BO!=20"),
    form("bc",             "205>=ISA BO&1=1 BD>=0", "bc+", "BO,BI,BD"),
    form("bc",             "205>=ISA",        "bc",   "BO,BI,BD"),
    form("bclr bcctr",     "205>=ISA BO&1=1", "bc*$", "BO,BI[,BH]"),
    form("bclr bcctr",     "205>=ISA",        "bc*",  "BO,BI[,BH]"),
    // Branches.
    form("bc",             "BO&30=12",      "b?",     "[cr~BI>>2,]BD"),
    form("bc",             "BO=14",         "b?-",    "[cr~BI>>2,]BD"),
    form("bc",             "BO=15",         "b?+",    "[cr~BI>>2,]BD"),
    form("bc",             "BO&30=4",       "b!",     "[cr~BI>>2,]BD"),
    form("bc",             "BO=6",          "b!-",    "[cr~BI>>2,]BD"),
    form("bc",             "BO=7",          "b!+",    "[cr~BI>>2,]BD"),
    form("bc",             "BO&30=16 BI=0", "bdnz",   "BD"),
    form("bc",             "BO=24 BI=0",    "bdnz-",  "BD"),
    form("bc",             "BO=25 BI=0",    "bdnz+",  "BD"),
    form("bc",             "BO&30=18 BI=0", "bdz",    "BD"),
    form("bc",             "BO=26 BI=0",    "bdz-",   "BD"),
    form("bc",             "BO=27 BI=0",    "bdz+",   "BD"),
    form("bc",             "BO&30=8",       "bdnzt",  "BI,BD"),
    form("bc",             "BO&30=0",       "bdnzf",  "BI,BD"),
    form("bc",             "BO&30=10",      "bdzt",   "BI,BD"),
    form("bc",             "BO&30=2",       "bdzf",   "BI,BD"),
    form("bclr bcctr bctar", "BO=12",       "b?*",    "[cr~BI>>2,BH]"),
    form("bclr bcctr bctar", "BO=14",       "b?*-",   "[cr~BI>>2,BH]"),
    form("bclr bcctr bctar", "BO=15",       "b?*+",   "[cr~BI>>2,BH]"),
    form("bclr bcctr bctar", "BO=4",        "b!*",    "[cr~BI>>2,BH]"),
    form("bclr bcctr bctar", "BO=6",        "b!*-",   "[cr~BI>>2,BH]"),
    form("bclr bcctr bctar", "BO=7",        "b!*+",   "[cr~BI>>2,BH]"),
    form("bclr bcctr bctar", "BO=20 BI=0", "b*",    "[BH]"),
    form("bclr bctar",     "BO=16 BI=0",    "bdnz*",  "[BH]"),
    form("bclr bctar",     "BO=24 BI=0",    "bdnz*-", "[BH]"),
    form("bclr bctar",     "BO=25 BI=0",    "bdnz*+", "[BH]"),
    form("bclr bctar",     "BO=18 BI=0",    "bdz*",   "[BH]"),
    form("bclr bctar",     "BO=26 BI=0",    "bdz*-",  "[BH]"),
    form("bclr bctar",     "BO=27 BI=0",    "bdz*+",  "[BH]"),
    form("bclr bctar",     "BO=8",          "bdnzt*", "BI[,BH]"),
    form("bclr bctar",     "BO=0",          "bdnzf*", "BI[,BH]"),
    form("bclr bctar",     "BO=10",         "bdzt*",  "BI[,BH]"),
    form("bclr bctar",     "BO=2",          "bdzf*",  "BI[,BH]"),
    form("bc",             "BO&29=24",      "bc-",    "BO,BI,BD"),
    form("bc",             "BO&29=25",      "bc+",    "BO,BI,BD"),
    form("bclr bcctr bctar", "BO&29=24",    "bc*-",   "BO,BI[,BH]"),
    form("bclr bcctr bctar", "BO&29=25",    "bc*+",   "BO,BI[,BH]"),
    invalid("bc bclr bcctr bctar", "BO&20=20 BO&11=1"),
    invalid("bc bclr bcctr bctar", "BO&22=22"),
    invalid("bc bclr bcctr bctar", "BO&28=28"),
    invalid("bc bclr bcctr bctar", "BO&21=17"),
    invalid("bclr bcctr bctar",    "BO&21=1"),
    invalid("bclr bcctr bctar",    "BO&23=5"),
    form("bclr bcctr bctar", "",            "bc*",    "BO,BI[,BH]"),
    invalid("tbegin.",                      "TA=1"),
    form("tbegin.",        "",              "tbegin.",   "[R]"),
    form("tend.",          "TA=1",          "tendall.",  ""),
    form("tend.",          "",              "tend.",     ""),
    form("tsr.",           "L=0",           "tsuspend.", ""),
    form("tsr.",           "",              "tresume.",  ""),
    form("rfebb",          "S1=1",          "rfebb",  ""),

    // Condition register.
    form("crxor",  "BA=BT BB=BT", "crclr",  "BT"),
    form("creqv",  "BA=BT BB=BT", "crset",  "BT"),
    form("crnor",  "BA=BB",       "crnot",  "BT,BA"),
    form("cror",   "BA=BB",       "crmove", "BT,BA"),
    form("mtcrf",  "FXM=255",     "mtcr",   "RS"),
    invalid("mtocrf mfocrf",      "#FXM!=1"),

    // System calls and traps.
    form("sc",     "",            "sc",     "[LEV]"),
    form("tw",     "TO=31 RA=0 RB=0", "trap", ""),
    form("tw td",  "",            "<^*",    "RA,RB"),
    form("twi tdi", "",           "<^*",    "RA,SI"),

    // Fixed point.
    form("addi",   "RA=0",        "li",     "RT,SI"),
    form("addis",  "RA=0",        "lis",    "RT,SI"),
    form("addpcis", "DX=0",       "lnia",   "RT"),
    form("cmp",    "L=0",         "cmpw",   "[BF,]RA,RB"),
    form("cmp",    "L=1 WIDE=1",         "cmpd",   "[BF,]RA,RB"),
    form("cmpi",   "L=0",         "cmpwi",  "[BF,]RA,SI"),
    form("cmpi",   "L=1 WIDE=1",         "cmpdi",  "[BF,]RA,SI"),
    form("cmpl",   "L=0",         "cmplw",  "[BF,]RA,RB"),
    form("cmpl",   "L=1 WIDE=1",         "cmpld",  "[BF,]RA,RB"),
    form("cmpli",  "L=0",         "cmplwi", "[BF,]RA,UI"),
    form("cmpli",  "L=1 WIDE=1",         "cmpldi", "[BF,]RA,UI"),
    form("ori",    "RS=0 RA=0 UI=0",   "nop",   ""),
    form("ori",    "RS=31 RA=31 UI=0 ISA>=300", "exser", ""),
    form("xori",   "RS=0 RA=0 UI=0",   "xnop",  ""),
    form("or",     "RS=26 RA=26 RB=26 Rc=0 ISA>=207", "miso",  ""),
    form("or",     "RS=27 RA=27 RB=27 Rc=0 ISA>=206", "yield", ""),
    form("or",     "RS=28 RA=28 RB=28 Rc=0 ISA=206",  "mdors", ""),
    form("or",     "RS=29 RA=29 RB=29 Rc=0 ISA>=206", "mdoio", ""),
    form("or",     "RS=30 RA=30 RB=30 Rc=0 ISA>=206", "mdoom", ""),
    form("paddi",  "RA=0 R=0",    "pli",    "RT,SI34"),
    form("paddi",  "RA=0 R=1",    "pla",    "RT,SI34"),
    invalid("plq",        "RA=RT"),
    form(PREFIXED_LOADS,  "RA=0 R=1", "<*", "RT,D34"),
    form(PREFIXED_FLOAT_LOADS,  "RA=0 R=1", "<*", "FRT,D34"),
    form(PREFIXED_FLOAT_STORES, "RA=0 R=1", "<*", "FRS,D34"),
    form(PREFIXED_SCALAR_LOADS,  "RA=0 R=1", "<*", "VRT,D34"),
    form(PREFIXED_SCALAR_STORES, "RA=0 R=1", "<*", "VRS,D34"),
    form("plxv",   "RA=0 R=1",    "plxv",   "XT,D34"),
    form("pstxv",  "RA=0 R=1",    "pstxv",  "XS,D34"),
    form("plxvp",  "RA=0 R=1",    "plxvp",  "XTp,D34"),
    form("pstxvp", "RA=0 R=1",    "pstxvp", "XSp,D34"),
    form("plq",    "RA=0 R=1",    "plq",    "RTp,D34"),
    form("pstq",   "RA=0 R=1",    "pstq",   "RSp,D34"),
    form("plq",    "",            "plq",    "RTp,D34(RA0)[,R]"),
    form("pstq",   "",            "pstq",   "RSp,D34(RA0)[,R]"),
    form(PREFIXED_SCALAR_LOADS,  "", "<*",  "VRT,D34(RA0)[,R]"),
    form(PREFIXED_SCALAR_STORES, "", "<*",  "VRS,D34(RA0)[,R]"),
    form("plxv",   "",            "plxv",   "XT,D34(RA0)[,R]"),
    form("pstxv",  "",            "pstxv",  "XS,D34(RA0)[,R]"),
    form("plxvp",  "",            "plxvp",  "XTp,D34(RA0)[,R]"),
    form("pstxvp", "",            "pstxvp", "XSp,D34(RA0)[,R]"),
    form(PREFIXED_FLOAT_LOADS,  "", "<*",   "FRT,D34(RA0)[,R]"),
    form(PREFIXED_FLOAT_STORES, "", "<*",   "FRS,D34(RA0)[,R]"),
    form(PREFIXED_STORES, "RA=0 R=1", "<*", "RS,D34"),
    form("paddi",  "",            "paddi",  "RT,RA0,SI34[,R]"),
    form(PREFIXED_LOADS,  "",     "<*",     "RT,D34(RA0)[,R]"),
    form(PREFIXED_STORES, "",     "<*",     "RS,D34(RA0)[,R]"),
    form("or",     "RS=RB",       "mr",     "RA,RS"),
    form("nor",    "RS=RB",       "not",    "RA,RS"),
    form("rlwinm", "MB=0 ME=31",  "rotlwi", "RA,RS,SH"),
    form("rlwinm", "MB=0 ME=31-SH", "slwi", "RA,RS,SH"),
    form("rlwinm", "SH=0 ME=31",  "clrlwi", "RA,RS,MB"),
    form("rlwinm", "SH=0 MB=0",   "clrrwi", "RA,RS,31-ME"),
    form("rlwinm", "SH=32-MB ME=31", "srwi", "RA,RS,MB"),
    form("rlwnm",  "MB=0 ME=31",  "rotlw",  "RA,RS,RB"),
    form("rldicl", "MB6=0",       "rotldi", "RA,RS,SH6"),
    form("rldicl", "SH6=0",       "clrldi", "RA,RS,MB6"),
    form("rldicl", "SH6=64-MB6",  "srdi",   "RA,RS,MB6"),
    form("rldicr", "SH6=0",       "clrrdi", "RA,RS,63-MB6"),
    form("rldicr", "MB6=63-SH6",  "sldi",   "RA,RS,SH6"),
    form("rldcl",  "MB6=0",       "rotld",  "RA,RS,RB"),
    form("isel",   "BC=0",        "isellt", "RT,RA0,RB"),
    form("isel",   "BC=1",        "iselgt", "RT,RA0,RB"),
    form("isel",   "BC=2",        "iseleq", "RT,RA0,RB"),

    // Special purpose registers.
    form("mfspr",  "199>=ISA SPR&1017=528", "mfibatu", "RT,SPR>>1&3"),
    form("mfspr",  "199>=ISA SPR&1017=529", "mfibatl", "RT,SPR>>1&3"),
    form("mfspr",  "199>=ISA SPR&1017=536", "mfdbatu", "RT,SPR>>1&3"),
    form("mfspr",  "199>=ISA SPR&1017=537", "mfdbatl", "RT,SPR>>1&3"),
    form("mtspr",  "199>=ISA SPR&1017=528", "mtibatu", "SPR>>1&3,RS"),
    form("mtspr",  "199>=ISA SPR&1017=529", "mtibatl", "SPR>>1&3,RS"),
    form("mtspr",  "199>=ISA SPR&1017=536", "mtdbatu", "SPR>>1&3,RS"),
    form("mtspr",  "199>=ISA SPR&1017=537", "mtdbatl", "SPR>>1&3,RS"),
    form("mfspr",  "ISA>=203 206>=ISA SPR&1016=272", "mfsprg", "RT,SPR&7"),
    form("mtspr",  "ISA>=203 206>=ISA SPR&1016=272", "mtsprg", "SPR&7,RS"),
    form("mfspr",  "ISA>=203 206>=ISA SPR&1020=260", "mfsprg", "RT,SPR&7"),
    form("mfspr",  "SPR&1020=272", "mfsprg", "RT,SPR&3"),
    form("mtspr",  "SPR&1020=272", "mtsprg", "SPR&3,RS"),
    form("mfspr",  "",            "mf%",    "RT"),
    form("mtspr",  "",            "mt%",    "RS"),
    form("mftb",   "SPR=268",     "mftb",   "RT"),
    form("mftb",   "SPR=269",     "mftbu",  "RT"),

    // Loads and stores, cache and synchronisation.
    invalid(LOADS_WITH_UPDATE,    "RA=0"),
    invalid(LOADS_WITH_UPDATE,    "RA=RT"),
    invalid(OTHERS_WITH_UPDATE,   "RA=0"),
    invalid("lq lqarx",           "RT&1=1"),
    invalid("lq lqarx",           "RA=RT"),
    invalid("lqarx lswx",         "RB=RT"),
    invalid("lswx",               "RA=RT"),
    invalid("lmw",                "RA>=RT"),
    invalid("stq stqcx.",         "RS&1=1"),
    form("lswi",   "NB=0",        "lswi",   "RT,RA0,32"),
    form("stswi",  "NB=0",        "stswi",  "RS,RA0,32"),
    form("lbarx lharx lwarx ldarx", "", "<*", "RT,RA0,RB[,EH]"),
    form("lqarx",  "",            "lqarx",  "RTp,RA0,RB[,EH]"),
    form("mbar",   "",            "mbar",   "[MO]"),
    form("dcbt dcbtst", "206>=ISA TH=0", "<*", "RA0,RB"),
    form("dcbt dcbtst", "ISA=206 TH=16", "<*t", "RA0,RB"),
    form("dcbt dcbtst", "206>=ISA", "<*",  "TH,RA0,RB"),
    form("dcbtls dcbtstls dcblc icbtls icblc", "", "<*", "[CT,]RA0,RB"),
    form("dcbt dcbtst", "TH>>3=0", "<*ct",  "RA0,RB[,TH]"),
    form("dcbt",   "TH=17 ISA>=310", "dcbna", "RA0,RB"),
    form("dcbt dcbtst", "TH=8",    "<*ds",  "RA0,RB"),
    form("dcbt dcbtst", "TH>>3=1", "<*ds",  "RA0,RB,TH"),
    form("dcbt dcbtst", "TH=16",   "<*t",   "RA0,RB"),
    form("icbt",   "",            "icbt",   "[CT,]RA0,RB"),
    form("dcbf",   "L2=1",        "dcbfl",  "RA0,RB"),
    form("dcbf",   "L2=3 ISA>=300", "dcbflp", "RA0,RB"),
    form("dcbf",   "L3=1",        "dcbfl",  "RA0,RB"),
    form("dcbf",   "L3=3",        "dcbflp", "RA0,RB"),
    form("dcbf",   "L3=4",        "dcbfps", "RA0,RB"),
    form("dcbf",   "L3=6",        "dcbstps", "RA0,RB"),
    invalid("dcbf",               "L3!=0"),
    invalid("dcbf",               "L2=2"),
    form("dcbf",   "",            "dcbf",   "RA0,RB[,L2]"),
    invalid("nop530",             ""),
    invalid("nop562",             ""),
    invalid("nop594",             ""),
    invalid("nop626",             ""),
    form("sync",   "199>=ISA",    "sync",   ""),
    form("sync",   "206>=ISA L2=0", "msync", ""),
    form("sync",   "L3=0 SC=2",   "stcisync", ""),
    form("sync",   "L3=0 SC=3",   "stsync", ""),
    form("sync",   "L3=1 SC=1",   "stncisync", ""),
    form("sync",   "L3=4 SC=0",   "phwsync", ""),
    form("sync",   "L3=5 SC=0",   "plwsync", ""),
    invalid("sync",               "L3=3"),
    invalid("sync",               "L3>=6"),
    form("sync",   "L3>=4",       "sync",   "L3,SC"),
    form("sync",   "SC!=0",       "sync",   "L3,SC"),
    form("sync",   "L3=1",        "lwsync", ""),
    form("sync",   "L3=2",        "ptesync", ""),
    form("sync",   "L2=0",        "hwsync", ""),
    form("sync",   "L2=1",        "lwsync", ""),
    form("sync",   "L2=2",        "ptesync", ""),
    invalid("sync",               "L2=3"),
    form("wait",   "309>=ISA WC=0",      "wait",   ""),
    form("wait",   "206>=ISA WC=1", "waitrsv", ""),
    form("wait",   "206>=ISA WC=2", "waitimpl", ""),
    form("wait",   "206>=ISA",    "wait",   "WC"),
    form("wait",   "ISA>=310 WC=1 PL=0", "waitrsv", ""),
    form("wait",   "ISA>=310 WC=2 PL=0", "pause_short", ""),
    form("wait",   "ISA>=310 WC=0 PL=0", "wait", ""),
    invalid("wait",               ""),

    // Floating point.
    form("mcrfs",  "",            "mcrfs",  "BF,BFA"),
    form("mtfsf",  "",            "mtfsf",  "FLM,FRB[,L,W]"),
    form("mtfsfi", "",            "mtfsfi", "FBF,U[,W]"),

    // Decimal floating point.
    invalid(DECIMAL_PAIRS,        "FRT&1=1"),

    // VMX.
    form("dst dstt dstst dststt", "", "<*", "r~RA,RB,STRM"),
    form("vor",    "VRA=VRB",     "vmr",    "VRT,VRA"),
    form("vnor",   "VRA=VRB",     "vnot",   "VRT,VRA"),

    // VSX.
    form("mfvsrd", "SX=0",        "mffprd",  "RA,f~S"),
    form("mfvsrd", "SX=1",        "mfvrd",   "RA,v~S"),
    form("mfvsrwz", "SX=0",       "mffprwz", "RA,f~S"),
    form("mfvsrwz", "SX=1",       "mfvrwz",  "RA,v~S"),
    form("mtvsrd", "TX=0",        "mtfprd",  "f~T,RA"),
    form("mtvsrd", "TX=1",        "mtvrd",   "v~T,RA"),
    form("mtvsrwa", "TX=0",       "mtfprwa", "f~T,RA"),
    form("mtvsrwa", "TX=1",       "mtvrwa",  "v~T,RA"),
    form("mtvsrwz", "TX=0",       "mtfprwz", "f~T,RA"),
    form("mtvsrwz", "TX=1",       "mtvrwz",  "v~T,RA"),
    form("xxpermdi", "XA=XB DM=0", "xxspltd", "XT,XA,0"),
    form("xxpermdi", "XA=XB DM=3", "xxspltd", "XT,XA,1"),
    form("xxpermdi", "XA=XB DM=2", "xxswapd", "XT,XA"),
    form("xxpermdi", "DM=0",      "xxmrghd", "XT,XA,XB"),
    form("xxpermdi", "DM=3",      "xxmrgld", "XT,XA,XB"),
    form("xvcpsgndp", "XA=XB",    "xvmovdp", "XT,XA"),
    form("xvcpsgnsp", "XA=XB",    "xvmovsp", "XT,XA"),
    form("xxlor",  "XA=XB",       "xxmr",    "XT,XA"),
    form("xxlnor", "XA=XB",       "xxlnot",  "XT,XA"),

    // Signal processing engine.
    form("evor",   "RA=RB",       "evmr",    "RT,RA"),
    form("evnor",  "RA=RB",       "evnot",   "RT,RA"),
    form("evaddiw", "",           "evaddiw", "RT,RB,UIM5"),
    form("evsubfw", "",           "evsubw",  "RT,RB,RA"),
    form("evsubifw", "",          "evsubiw", "RT,RB,UIM5"),
    form(SPE_LOADS_INDEXED,  "",  "<*",      "RT,RA,RB"),
    form(SPE_STORES_INDEXED, "",  "<*",      "RS,RA,RB"),
    form("evldd evldw evldh", "", "<*",      "RT,UI8(RA)"),
    form("evlwhe evlwhou evlwhos evlwwsplat evlwhsplat", "", "<*", "RT,UI4(RA)"),
    form("evlhhesplat evlhhousplat evlhhossplat", "", "<*", "RT,UI2(RA)"),
    form("evstdd evstdw evstdh", "", "<*",   "RS,UI8(RA)"),
    form("evstwhe evstwho evstwwe evstwwo", "", "<*", "RS,UI4(RA)"),

    // Privileged.
    form("mtmsr mtmsrd", "",      "<*",     "RS[,L]"),
    form("tlbie",  "199>=ISA",    "tlbie",  "RB"),
    form("tlbie",  "",            "tlbie",  "RB,RS[,RIC,PRS,R]"),
    form("tlbiel", "",            "tlbiel", "RB[,RS,RIC,PRS,R]"),
    form("tlbilx", "L2=0", "tlbilxlpid", ""),
    form("tlbilx", "L2=1", "tlbilxpid", ""),
    form("tlbilx", "L2=3",        "tlbilxva", "RA0,RB"),
    form("slbia",  "",            "slbia",  "[IH]"),
    // The matrix-multiply assist: objdump prints names of a later extension, and rejects accumulators that overlap.
    form("xxsetaccz",             "",        "dmsetaccz", "AT"),
    form("xxmfacc xxmtacc",       "",        "dm<*",      "AT"),
    invalid(OUTER, "XA>>2=AT"),
    invalid(OUTER, "XB>>2=AT"),
    invalid(OUTER_DOUBLE, "XAp>>2=AT"),
    invalid(OUTER_DOUBLE, "XB>>2=AT"),
    invalid(OUTER_MASKED_8, "XA>>2=AT"),
    invalid(OUTER_MASKED_8, "XB>>2=AT"),
    invalid(OUTER_MASKED_4, "XA>>2=AT"),
    invalid(OUTER_MASKED_4, "XB>>2=AT"),
    invalid(OUTER_MASKED_2, "XA>>2=AT"),
    invalid(OUTER_MASKED_2, "XB>>2=AT"),
    invalid(OUTER_MASKED, "XA>>2=AT"),
    invalid(OUTER_MASKED, "XB>>2=AT"),
    invalid(OUTER_MASKED_DOUBLE, "XAp>>2=AT"),
    invalid(OUTER_MASKED_DOUBLE, "XB>>2=AT"),
    form(OUTER, "", "dm<*", "AT,XA,XB"),
    form(OUTER_DOUBLE, "", "dm<*", "AT,XAp,XB"),
    form(OUTER_MASKED_8, "", "<dm*", "AT,XA,XB,XMSK,YMSK,PMSK8"),
    form(OUTER_MASKED_4, "", "<dm*", "AT,XA,XB,XMSK,YMSK,PMSK4"),
    form(OUTER_MASKED_2, "", "<dm*", "AT,XA,XB,XMSK,YMSK,PMSK2"),
    form(OUTER_MASKED, "", "<dm*", "AT,XA,XB,XMSK,YMSK"),
    form(OUTER_MASKED_DOUBLE, "", "<dm*", "AT,XAp,XB,XMSK,YMSK2"),
];
