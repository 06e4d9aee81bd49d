//! What the shop repairs and sells, with prices.

use std::fmt;

/// Surcharge when Brandon drives to the customer, in dollars.
pub const ON_SITE_SURCHARGE: u32 = 20;

/// A repair on the price list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RepairKind {
    /// Replacing a broken screen.
    Screen,
    /// Replacing a battery.
    Battery,
    /// Repairing a charging port.
    ChargingPort,
    /// Diagnosing a wet phone.
    WaterDamage,
    /// Replacing the glass of the back.
    BackGlass,
}

impl RepairKind {
    /// All kinds, in the order of the price list.
    pub const ALL: [Self; 5] =
        [Self::Screen, Self::Battery, Self::ChargingPort, Self::WaterDamage, Self::BackGlass];

    /// The name in tables and tool arguments: `charging_port`.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Screen => "screen",
            Self::Battery => "battery",
            Self::ChargingPort => "charging_port",
            Self::WaterDamage => "water_damage",
            Self::BackGlass => "back_glass",
        }
    }

    /// The name in texts: `charging port`.
    pub const fn display_name(self) -> &'static str {
        match self {
            Self::Screen => "screen",
            Self::Battery => "battery",
            Self::ChargingPort => "charging port",
            Self::WaterDamage => "water damage",
            Self::BackGlass => "back glass",
        }
    }

    /// The price as the price list states it.
    pub const fn price(self) -> &'static str {
        match self {
            Self::Screen => "$79 iPhone, $89 Samsung",
            Self::Battery => "$49",
            Self::ChargingPort => "$59",
            Self::WaterDamage => "$39 diagnostic",
            Self::BackGlass => "$69",
        }
    }

    /// The repair that these words name, if any.
    fn find(words: &[&str]) -> Option<Self> {
        let has = |word: &str| words.contains(&word);
        if has("backglass") || (has("glass") && (has("back") || has("rear"))) {
            Some(Self::BackGlass)
        } else if has("screen") || has("display") || has("lcd") {
            Some(Self::Screen)
        } else if has("battery") {
            Some(Self::Battery)
        } else if has("port") || has("charging") || has("charger") {
            Some(Self::ChargingPort)
        } else if has("water") || has("liquid") {
            Some(Self::WaterDamage)
        } else {
            None
        }
    }
}

/// A repair that a customer booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// A repair on the price list.
    Listed {
        /// The kind.
        kind: RepairKind,
        /// Whether Brandon drives to the customer.
        on_site: bool,
    },
    /// Text of a row of the old system; cannot be booked any more.
    Unlisted(String),
}

/// A repair that is not on the price list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "Unknown repair_type. Use one of: screen, battery, charging_port, water_damage, back_glass (on_site_ before it when Brandon drives to the customer)"
)]
pub struct UnknownRepair;

impl Repair {
    /// A repair at the shop.
    pub const fn at_shop(kind: RepairKind) -> Self {
        Self::Listed { kind, on_site: false }
    }

    /// The slug of every repair on the price list.
    pub fn slugs() -> impl Iterator<Item = String> {
        [false, true].into_iter().flat_map(|on_site| {
            RepairKind::ALL.into_iter().map(move |kind| Self::Listed { kind, on_site }.slug())
        })
    }

    /// Parses a slug or a person's words: `charging_port`, `iPhone screen repair`, `on-site
    /// battery`.
    ///
    /// # Errors
    /// When they name nothing on the price list.
    pub fn parse(text: &str) -> Result<Self, UnknownRepair> {
        let text = text.to_lowercase().replace("on-site", "onsite").replace("on_site", "onsite");
        let text = text.replace("on site", "onsite");
        let words: Vec<&str> =
            text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
        let kind = RepairKind::find(&words).ok_or(UnknownRepair)?;
        Ok(Self::Listed { kind, on_site: words.contains(&"onsite") })
    }

    /// Reads a stored row. Never fails, because rows of the old system hold any text.
    pub fn from_row(text: &str) -> Self {
        Self::parse(text).unwrap_or_else(|_| Self::Unlisted(text.to_owned()))
    }

    /// The name in tables and in the API: `screen`, `on_site_screen`.
    pub fn slug(&self) -> String {
        match self {
            Self::Listed { kind, on_site: false } => kind.slug().to_owned(),
            Self::Listed { kind, on_site: true } => format!("on_site_{}", kind.slug()),
            Self::Unlisted(text) => text.clone(),
        }
    }
}

/// The name in texts: `charging port`, `screen (on-site)`.
impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listed { kind, on_site: false } => f.write_str(kind.display_name()),
            Self::Listed { kind, on_site: true } => write!(f, "{} (on-site)", kind.display_name()),
            Self::Unlisted(text) => f.write_str(text),
        }
    }
}

/// An extra that the shop sells besides a repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Upsell {
    /// A screen protector.
    ScreenProtector,
    /// A case.
    Case,
    /// A longer warranty; its price is agreed in the shop.
    WarrantyExtension,
}

/// The shop does not sell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Unknown upsell_item. Use one of: screen_protector, case, warranty_extension")]
pub struct UnknownUpsell;

impl Upsell {
    /// All extras.
    pub const ALL: [Self; 3] = [Self::ScreenProtector, Self::Case, Self::WarrantyExtension];

    /// Parses a slug or a person's words.
    ///
    /// # Errors
    /// When they name no extra of the shop.
    pub fn parse(text: &str) -> Result<Self, UnknownUpsell> {
        let text = text.to_lowercase();
        let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
        if words.contains(&"protector") {
            Ok(Self::ScreenProtector)
        } else if words.contains(&"case") {
            Ok(Self::Case)
        } else if words.contains(&"warranty") {
            Ok(Self::WarrantyExtension)
        } else {
            Err(UnknownUpsell)
        }
    }

    /// The name in tables and tool arguments.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::ScreenProtector => "screen_protector",
            Self::Case => "case",
            Self::WarrantyExtension => "warranty_extension",
        }
    }

    /// The name in texts.
    pub const fn display_name(self) -> &'static str {
        match self {
            Self::ScreenProtector => "screen protector",
            Self::Case => "case",
            Self::WarrantyExtension => "warranty extension",
        }
    }

    /// The price in dollars; `None` when it is agreed in the shop.
    pub const fn price(self) -> Option<u32> {
        match self {
            Self::ScreenProtector => Some(15),
            Self::Case => Some(25),
            Self::WarrantyExtension => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slug_is_read_back() {
        for slug in Repair::slugs() {
            assert_eq!(Repair::parse(&slug).unwrap().slug(), slug);
        }
        for upsell in Upsell::ALL {
            assert_eq!(Upsell::parse(upsell.slug()), Ok(upsell));
            assert_eq!(Upsell::parse(upsell.display_name()), Ok(upsell));
        }
    }

    #[test]
    fn repairs_are_read_as_people_write_them() {
        let at_shop = Repair::at_shop;
        assert_eq!(Repair::parse("iPhone screen repair"), Ok(at_shop(RepairKind::Screen)));
        assert_eq!(Repair::parse("Charging Port"), Ok(at_shop(RepairKind::ChargingPort)));
        assert_eq!(Repair::parse("back glass replacement"), Ok(at_shop(RepairKind::BackGlass)));
        assert_eq!(Repair::parse("on-site battery").unwrap().slug(), "on_site_battery");
    }

    #[test]
    fn other_services_are_refused_but_read_from_old_rows() {
        assert_eq!(Repair::parse("hairdryer repair"), Err(UnknownRepair));
        assert_eq!(Repair::from_row("hairdryer").slug(), "hairdryer");
        assert_eq!(Upsell::parse("laptop"), Err(UnknownUpsell));
    }
}
