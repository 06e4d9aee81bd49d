//! Sentences that code writes in the place of what the model may not say.

use super::{Mismatch, facts::Facts, money, words::tokens};
use crate::domain::{
    catalogue::{RepairKind, Upsell},
    slot::time_texts,
    text::to_gsm7,
};

/// Most free times that are listed for a date.
const TIMES_LISTED: usize = 8;

/// What is true instead of a claim.
pub(super) fn truth(mismatch: Mismatch, text: &str, facts: &Facts) -> String {
    let spanish = is_spanish(text);
    let say =
        |english: &str, spanish_text: &str| to_gsm7(if spanish { spanish_text } else { english });
    if facts.outcome_unknown && matches!(mismatch, Mismatch::Change | Mismatch::Cancellation) {
        return say(
            "I can't see yet whether that worked.",
            "Todav\u{ed}a no puedo ver si eso se hizo.",
        );
    }
    match mismatch {
        Mismatch::Cancellation => say(
            "I haven't cancelled anything just now. Which appointment is it about?",
            "No he anulado nada ahora. \u{bf}De qu\u{e9} visita se trata?",
        ),
        Mismatch::Change => match (known_bookings(facts), free_times(facts, spanish)) {
            (Some(known), _) if spanish => format!("Lo que tengo anotado: {known}."),
            (Some(known), _) => format!("What I have on file: {known}."),
            (None, Some(free)) => {
                format!(
                    "{} {free}",
                    say(
                        "I haven't booked or changed anything just now.",
                        "No he anotado ni cambiado nada ahora."
                    )
                )
            }
            (None, None) => say(
                "I haven't booked or changed anything just now. Which day and time would you like?",
                "No he anotado ni cambiado nada ahora. \u{bf}Qu\u{e9} d\u{ed}a y a qu\u{e9} hora te gustar\u{ed}a?",
            ),
        },
        Mismatch::Schedule => match (free_times(facts, spanish), known_bookings(facts)) {
            (Some(free), _) => free,
            (None, Some(known)) if spanish => format!("Lo que tengo anotado: {known}."),
            (None, Some(known)) => format!("What I have on file: {known}."),
            (None, None) => say(
                "Which day and time would you like? I'll look it up in the calendar.",
                "\u{bf}Qu\u{e9} d\u{ed}a y a qu\u{e9} hora te gustar\u{ed}a? Lo busco en el calendario.",
            ),
        },
        Mismatch::Price => prices(text, facts, spanish),
        Mismatch::Discount => match facts.discounts.iter().max() {
            Some(percent) if spanish => {
                format!("El descuento aprobado es del {percent} por ciento.")
            }
            Some(percent) => format!("The approved discount is {percent} percent."),
            None => {
                say("No such discount has been approved.", "Ese descuento no est\u{e1} aprobado.")
            }
        },
        Mismatch::Contact => say(
            "You can ask me anything about repairs, prices and appointments here.",
            "Puedes preguntarme aqu\u{ed} sobre reparaciones, precios y horarios.",
        ),
        Mismatch::Keyword => say(
            "What would you like to do? Please tell me in a few words.",
            "\u{bf}Qu\u{e9} te gustar\u{ed}a hacer? Dime en unas palabras.",
        ),
        Mismatch::Instructions => say(
            "I can help you with repairs, prices and appointments.",
            "Puedo ayudarte con reparaciones, precios y horarios.",
        ),
        Mismatch::Pledge => say(
            "Please ask Brandon at the shop about refunds and warranty.",
            "Sobre reembolsos y garant\u{ed}a, pregunta por favor a Brandon en la tienda.",
        ),
        Mismatch::Callback => say(
            "Please text again a little later or come by the shop.",
            "Por favor escribe de nuevo m\u{e1}s tarde o pasa por la tienda.",
        ),
    }
}

fn known_bookings(facts: &Facts) -> Option<String> {
    let known: Vec<String> = facts
        .bookings
        .iter()
        .map(|booking| match booking.repair {
            Some(kind) => format!("{}, {}", booking.slot, kind.display_name()),
            None => booking.slot.to_string(),
        })
        .collect();
    (!known.is_empty()).then(|| known.join("; "))
}

/// `Free times for Wed Feb 11: 9:00 AM, 10:00 AM.`
fn free_times(facts: &Facts, spanish: bool) -> Option<String> {
    let lines: Vec<String> = facts
        .free
        .dates()
        .map(|date| {
            let day = date.strftime("%a %b %-d");
            let times = facts.free.on(date, &[]).unwrap_or_default();
            let times: Vec<_> = times.into_iter().take(TIMES_LISTED).collect();
            match (times.is_empty(), spanish) {
                (true, true) => format!("No hay horas libres el {day}."),
                (true, false) => format!("Nothing is free on {day}."),
                (false, true) => {
                    format!("Horas libres el {day}: {}.", time_texts(&times).join(", "))
                }
                (false, false) => {
                    format!("Free times for {day}: {}.", time_texts(&times).join(", "))
                }
            }
        })
        .collect();
    (!lines.is_empty()).then(|| lines.join(" "))
}

/// The lines of the price list that the text and the customer's question are about.
fn prices(text: &str, facts: &Facts, spanish: bool) -> String {
    let context = tokens(&format!("{text} {}", facts.question));
    let named = money::repairs(&context);
    let kinds = if named.is_empty() { RepairKind::ALL.to_vec() } else { named };
    let mut lines: Vec<String> =
        kinds.iter().map(|kind| format!("{} {}", kind.display_name(), kind.price())).collect();
    if money::on_site(&context) {
        lines.push("on-site $20 more".to_owned());
    }
    for item in Upsell::ALL {
        let word = item.display_name().rsplit(' ').next().unwrap_or_default();
        if let Some(price) = item.price().filter(|_| context.iter().any(|t| t.is(word))) {
            lines.push(format!("{} ${price}", item.display_name()));
        }
    }
    let heading = if spanish { "Precios" } else { "Our prices" };
    format!("{heading}: {}.", lines.join("; "))
}

/// Whether a text is Spanish, by its small words.
pub(super) fn is_spanish(text: &str) -> bool {
    const SPANISH: [&str; 34] = [
        "el",
        "la",
        "los",
        "las",
        "de",
        "para",
        "tu",
        "su",
        "cita",
        "manana",
        "hola",
        "gracias",
        "que",
        "por",
        "con",
        "puedo",
        "tenemos",
        "esta",
        "es",
        "una",
        "un",
        "te",
        "le",
        "tengo",
        "listo",
        "hay",
        "pantalla",
        "cuesta",
        "reservado",
        "cancelada",
        "confirmada",
        "y",
        "hoy",
        "descuento",
    ];
    const ENGLISH: [&str; 20] = [
        "the", "is", "are", "you", "your", "for", "and", "to", "we", "it", "at", "of", "that",
        "this", "i", "have", "can", "will", "with", "be",
    ];
    let words = tokens(text);
    let count = |list: &[&str]| words.iter().filter(|t| t.any(list)).count();
    count(&SPANISH) > count(&ENGLISH)
}
