//! The words that several checks know, in English and in Spanish without accents.

use std::{collections::HashSet, sync::OnceLock};

use jiff::civil::Weekday;

/// A list of words that is searched often.
#[derive(Debug)]
pub(super) struct Words {
    text: &'static str,
    set: OnceLock<HashSet<&'static str>>,
}

impl Words {
    pub(super) const fn new(text: &'static str) -> Self {
        Self { text, set: OnceLock::new() }
    }
}

/// What a word can be looked up in.
pub(super) trait WordList {
    fn has_word(&self, word: &str) -> bool;
}

impl WordList for Words {
    fn has_word(&self, word: &str) -> bool {
        self.set.get_or_init(|| self.text.split_whitespace().collect()).contains(word)
    }
}

impl WordList for [&str] {
    fn has_word(&self, word: &str) -> bool {
        self.contains(&word)
    }
}

impl<const N: usize> WordList for [&str; N] {
    fn has_word(&self, word: &str) -> bool {
        self.contains(&word)
    }
}

/// Participles and past tenses that say that a booking was made.
pub(super) static BOOKED: Words = Words::new(
    "booked reserved scheduled confirmed secured locked penciled pencilled squeezed slotted \
     rebooked arranged registered settled saved held bookd confirms booking reserving \
     scheduling confirming reservado reservada confirmado confirmada agendado agendada \
     programado programada apartado apartada registrado registrada anotado anotada apuntado \
     apuntada asegurado asegurada reserve reservo agende agendo aparte aparto confirme \
     confirmo anote anoto apunte apunto guarde guardo programe programo registre registro \
     agendamos reservamos confirmamos anotamos apuntamos apartamos programamos registramos",
);
/// That one was cancelled.
pub(super) static CANCELLED: Words = Words::new(
    "cancelled removed deleted scrapped voided dropped erased withdrawn cleared released \
     scratched nixed axed freed cancelling cancelado cancelada eliminado eliminada anulado \
     anulada borrado borrada cancele cancelo anule anulo cancela elimine elimino borre borro \
     wiped cancelamos anulamos eliminamos borramos quite",
);
/// That one was moved.
pub(super) static MOVED: Words = Words::new(
    "moved rescheduled switched changed pushed bumped shifted swapped updated transferred \
     postponed moving rescheduling switching movido movida cambiado cambiada reprogramado \
     reprogramada reagendado reagendada adelantado adelantada pospuesto pospuesta cambie movi \
     movio reprograme reagende adelante pospuse pase cambio movimos cambiamos reprogramamos \
     reagendamos pasamos",
);
/// Spanish past tenses that, without their accents, are other words too.
pub(super) static SPANISH_PAST: Words = Words::new(
    "reserve reservo agende agendo aparte aparto confirme confirmo anote anoto apunte apunto \
     guarde guardo programe programo registre registro cancele cancelo anule anulo cancela \
     elimine elimino borre borro cambie cambio movi movio reprograme reagende adelante pase \
     agendamos reservamos confirmamos anotamos apuntamos apartamos programamos registramos \
     cancelamos anulamos eliminamos borramos movimos cambiamos reprogramamos reagendamos \
     pasamos quite",
);
/// What is going on: "I am booking you in".
pub(super) static PROGRESSIVE: Words =
    Words::new("booking reserving scheduling confirming cancelling moving rescheduling switching");
/// The infinitives of the same.
pub(super) static TO_BOOK: Words =
    Words::new("reservar agendar apartar anotar apuntar confirmar programar registrar");
pub(super) static TO_CANCEL: Words = Words::new("cancelar anular eliminar borrar");
pub(super) static TO_MOVE: Words = Words::new("mover cambiar pasar reprogramar reagendar");
/// What is booked, cancelled and moved.
pub(super) static APPOINTMENT: Words = Words::new(
    "appointment booking reservation slot spot visit time place confirmation cita turno reserva \
     reservacion visita lugar espacio hora confirmacion",
);
pub(super) static MODALS: Words = Words::new(
    "will can could would should shall may might must to let need needs want please puedo quieres \
     vamos",
);
/// Words that turn a statement into its opposite.
pub(super) static NEGATIONS: Words = Words::new(
    "not no never nothing none without unable neither nor nada todavia aun ni nunca tampoco hardly \
     unfortunately cannot refuse instead unavailable",
);
/// Words with which a condition begins.
pub(super) static CONDITIONS: Words = Words::new(
    "if once when unless until before after whenever provided cuando si antes hasta despues while \
     as assuming or",
);
/// Words of the most that there is.
pub(super) static LIMITS: Words = Words::new("most max maximum up best limit maximo");

pub(super) static OPEN: Words =
    Words::new("open opens abierto abierta abiertos abiertas abre abrimos");
pub(super) static CLOSED: Words = Words::new("closed cerrado cerrada cerrados cerradas");
pub(super) static BREAK: Words =
    Words::new("break breaks lunch lunchtime descanso pausa almuerzo siesta");
/// Words that say that a time can be had.
pub(super) static FREE: Words =
    Words::new("free available availability opening openings libre libres disponible disponibles");
/// Words before the end of something.
pub(super) static UNTIL: Words = Words::new("until till til hasta");
/// Names of parts of a day.
pub(super) static PARTS_OF_DAY: Words = Words::new("morning afternoon evening");

const WEEKDAYS: [&[&str]; 7] = [
    &["monday", "mondays", "mon", "lunes"],
    &["tuesday", "tuesdays", "tue", "tues", "martes"],
    &["wednesday", "wednesdays", "wed", "weds", "miercoles"],
    &["thursday", "thursdays", "thu", "thur", "thurs", "jueves"],
    &["friday", "fridays", "fri", "viernes"],
    &["saturday", "saturdays", "sat", "sabado", "sabados"],
    &["sunday", "sundays", "sun", "domingo", "domingos"],
];
const MONTHS: [&[&str]; 12] = [
    &["january", "jan", "enero"],
    &["february", "feb", "febrero"],
    &["march", "mar", "marzo"],
    &["april", "apr", "abril"],
    &["may", "mayo"],
    &["june", "jun", "junio"],
    &["july", "jul", "julio"],
    &["august", "aug", "agosto"],
    &["september", "sep", "sept", "septiembre"],
    &["october", "oct", "octubre"],
    &["november", "nov", "noviembre"],
    &["december", "dec", "diciembre"],
];

/// The weekday that a word names.
pub(super) fn weekday(word: &str) -> Option<Weekday> {
    let at = WEEKDAYS.iter().position(|names| names.contains(&word))?;
    Weekday::from_monday_zero_offset(i8::try_from(at).ok()?).ok()
}

/// The month that a word names, from 1 on.
pub(super) fn month(word: &str) -> Option<u32> {
    let at = MONTHS.iter().position(|names| names.contains(&word))?;
    u32::try_from(at + 1).ok()
}

/// Whether a word names a day that is reckoned from today.
pub(super) fn is_relative_day(word: &str) -> bool {
    ["today", "tomorrow", "tonight", "hoy", "manana"].contains(&word)
}

/// The value of one word for a number below a hundred, in English or Spanish.
pub(super) fn small_number(word: &str) -> Option<u32> {
    NUMBERS.iter().find(|(_, words)| words.contains(&word)).map(|(value, _)| *value)
}

const NUMBERS: [(u32, &[&str]); 29] = [
    (0, &["zero", "cero"]),
    (1, &["one", "una"]),
    (2, &["two", "dos"]),
    (3, &["three", "tres"]),
    (4, &["four", "cuatro"]),
    (5, &["five", "cinco"]),
    (6, &["six", "seis"]),
    (7, &["seven", "siete"]),
    (8, &["eight", "ocho"]),
    (9, &["nine", "nueve"]),
    (10, &["ten", "diez"]),
    (11, &["eleven", "once"]),
    (12, &["twelve", "doce"]),
    (13, &["thirteen", "trece"]),
    (14, &["fourteen", "catorce"]),
    (15, &["fifteen", "quince"]),
    (16, &["sixteen", "dieciseis"]),
    (17, &["seventeen", "diecisiete"]),
    (18, &["eighteen", "dieciocho"]),
    (19, &["nineteen", "diecinueve"]),
    (20, &["twenty", "veinte"]),
    (25, &["veinticinco"]),
    (30, &["thirty", "treinta"]),
    (40, &["forty", "fourty", "cuarenta"]),
    (50, &["fifty", "cincuenta"]),
    (60, &["sixty", "sesenta"]),
    (70, &["seventy", "setenta"]),
    (80, &["eighty", "ochenta"]),
    (90, &["ninety", "noventa"]),
];
