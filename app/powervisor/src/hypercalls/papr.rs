//! PAPR's hypercalls and RTAS services. What is implemented is what `hv_papr` has a handler for, and `hv_of`'s one.

use std::fmt::Write as _;

use hv_papr::rtas::implements;
use papr_abi::hcall::{CALLS, Family, Hypercall, INSTRUCTION, NUMBER, REGISTERS};
use papr_abi::{rtas, status};
use serde_json::{Value, json};

fn implemented(call: &Hypercall) -> bool {
    hv_papr::calls().chain([hv_of::CALL]).any(|number| number == call.number)
}

/// Codes of a class go by the name of the first one.
fn code_name(code: i64) -> &'static str {
    match code {
        status::H_LONG_BUSY_ORDER_1_MSEC => "H_LONG_BUSY_ORDER_*",
        status::H_UNSUPPORTED_FLAG_START => "H_UNSUPPORTED_FLAG",
        code => status::name_of(code).unwrap_or("?"),
    }
}

/// What stands in which register. The last of a list that nobody completes has none.
fn registers(meanings: &'static [&'static str]) -> impl Iterator<Item = (Option<&'static str>, &'static str)> {
    REGISTERS.into_iter().zip(meanings).map(|(register, meaning)| ((*meaning != "?").then_some(register), *meaning))
}

pub fn as_text() -> String {
    let names = REGISTERS.join(" ");
    let mut text = format!("papr: {INSTRUCTION}\n");
    let _ = writeln!(text, "  number in {NUMBER}, arguments in {names}; status in {NUMBER}, outputs in {names}");
    for family in Family::ALL {
        let _ = writeln!(text, "\n{}", family.name());
        for call in CALLS.iter().filter(|call| call.family == *family) {
            let _ = describe(&mut text, call);
        }
    }
    text += "\nrtas: H_RTAS\n";
    for service in rtas::CALLS {
        let rtas::Call { name, token, inputs, outputs } = service;
        let answer = if implements(service) { "implemented".to_owned() } else { rtas::PARAMETER.to_string() };
        let _ = writeln!(text, "  {token:#06x}    {name} ({answer}): {inputs} in, {outputs} out");
    }
    text
}

fn describe(text: &mut String, call: &Hypercall) -> std::fmt::Result {
    let answer = if implemented(call) { "implemented" } else { code_name(call.absent) };
    writeln!(text, "  {:<#10x}{} ({answer}): {}", call.number, call.name, call.purpose)?;
    for (what, meanings) in [("takes", call.arguments), ("returns", call.outputs)] {
        let whats = std::iter::once(what).chain(std::iter::repeat(""));
        for (what, (register, meaning)) in whats.zip(registers(meanings)) {
            let register = register.map_or(String::new(), |register| format!("{register} = "));
            writeln!(text, "{:<12}{what:<9}{register}{meaning}", "")?;
        }
    }
    let codes: Vec<&str> = call.codes.iter().map(|code| code_name(*code)).collect();
    let whats = std::iter::once("codes").chain(std::iter::repeat(""));
    for (what, codes) in whats.zip(codes.chunks(5)) {
        writeln!(text, "{:<12}{what:<9}{}", "", codes.join(" "))?;
    }
    Ok(())
}

pub fn as_json() -> Value {
    json!({
        "convention": {
            "instruction": INSTRUCTION,
            "number": NUMBER,
            "arguments": REGISTERS,
            "status": NUMBER,
            "outputs": REGISTERS,
        },
        "hypercalls": CALLS.iter().map(hypercall).collect::<Vec<_>>(),
        "services": rtas::CALLS.iter().map(service).collect::<Vec<_>>(),
    })
}

fn hypercall(call: &Hypercall) -> Value {
    let named = |code: i64| json!({ "code": code, "name": code_name(code) });
    let meanings = |meanings: &'static [&'static str]| {
        let pair = |(register, meaning)| json!({ "register": register, "meaning": meaning });
        registers(meanings).map(pair).collect::<Vec<_>>()
    };
    json!({
        "name": call.name,
        "number": call.number,
        "family": call.family.name(),
        "purpose": call.purpose,
        "arguments": meanings(call.arguments),
        "outputs": meanings(call.outputs),
        "codes": call.codes.iter().map(|code| named(*code)).collect::<Vec<_>>(),
        "implemented": implemented(call),
        "absent": named(call.absent),
    })
}

fn service(form: &rtas::Call) -> Value {
    json!({
        "name": form.name,
        "token": form.token,
        "inputs": form.inputs,
        "outputs": form.outputs,
        "implemented": implements(form),
        "absent": rtas::PARAMETER,
    })
}

#[cfg(test)]
mod tests {
    use papr_abi::hcall;

    use super::*;

    #[test]
    fn both_forms_have_every_row() {
        let (text, json) = (as_text(), as_json());
        let (calls, services) = (json["hypercalls"].as_array().unwrap(), json["services"].as_array().unwrap());
        assert_eq!((calls.len(), services.len()), (CALLS.len(), rtas::CALLS.len()));
        for (row, value) in CALLS.iter().zip(calls) {
            assert!(text.contains(&format!(" {} (", row.name)), "{}", row.name);
            assert_eq!((&value["name"], &value["number"]), (&json!(row.name), &json!(row.number)));
            assert_eq!(value["arguments"].as_array().unwrap().len(), row.arguments.len());
            assert!(value["codes"].as_array().unwrap().iter().all(|code| code["name"] != "?"), "{}", row.name);
        }
        for (form, value) in rtas::CALLS.iter().zip(services) {
            assert!(text.contains(&format!(" {} (", form.name)), "{}", form.name);
            assert_eq!((&value["token"], &value["inputs"]), (&json!(form.token), &json!(form.inputs)));
        }
    }

    #[test]
    fn what_is_implemented_has_a_handler() {
        let json = as_json();
        let calls = json["hypercalls"].as_array().unwrap();
        let count = calls.iter().filter(|call| call["implemented"] == true).count();
        assert_eq!(count, hv_papr::calls().count() + 1);
        let call = |number: u64| calls.iter().find(|call| call["number"] == number).unwrap();
        let enter = call(hcall::H_ENTER);
        assert_eq!((&enter["implemented"], &enter["family"]), (&json!(true), &json!("hash")));
        assert_eq!(enter["arguments"][1], json!({ "register": "r5", "meaning": "ptex" }));
        assert_eq!(enter["codes"][1], json!({ "code": -6, "name": "H_PTEG_FULL" }));
        let page_in = call(hcall::H_SVM_PAGE_IN);
        assert_eq!((&page_in["implemented"], &page_in["absent"]["name"]), (&json!(false), &json!("H_UNSUPPORTED")));
        assert_eq!(call(hcall::H_PKS_SET_PASSWORD)["arguments"], json!([{ "register": null, "meaning": "?" }]));
        assert!(as_text().contains("0x2003    power-off (implemented): 2 in, 1 out"));
        assert!(as_text().contains("0x202a    ibm,suspend-me (-3): 0 in, 1 out"));
    }
}
