//! What the shop repairs and sells, with prices.

mod services;

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

    /// The prices in dollars. A screen has one for an iPhone and one for a Samsung.
    pub const fn dollars(self) -> &'static [u32] {
        match self {
            Self::Screen => &[79, 89],
            Self::Battery => &[49],
            Self::ChargingPort => &[59],
            Self::WaterDamage => &[39],
            Self::BackGlass => &[69],
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

/// The words name no repair that can be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnknownRepair {
    /// Not on the price list.
    #[error(
        "Unknown repair_type. Use one of: screen, battery, charging_port, water_damage, back_glass (on_site_ before it when Brandon drives to the customer)"
    )]
    NotListed,
    /// Several repairs; a booking has one.
    #[error(
        "One repair per booking: ask the customer which one, or book each at a time of its own"
    )]
    Several,
}

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
    /// battery`. Every word must belong to the name of a repair, of a device, or be one that
    /// changes nothing: a screen protector is no screen.
    ///
    /// # Errors
    /// When they name nothing on the price list, or several repairs.
    pub fn parse(text: &str) -> Result<Self, UnknownRepair> {
        services::parse(text)
    }

    /// The price of the price list for a device, `$99`; `None` when the list does not decide it.
    pub fn quote(&self, device: &str) -> Option<String> {
        let Self::Listed { kind, on_site } = self else { return None };
        let device = device.to_lowercase();
        let dollars = match (kind, kind.dollars()) {
            (RepairKind::Screen, [iphone, samsung]) => match device.split(' ').next() {
                Some(make) if make.starts_with("iphone") => *iphone,
                Some("samsung" | "galaxy") if !device.contains("iphone") => *samsung,
                _ => return None,
            },
            (_, [dollars]) => *dollars,
            _ => return None,
        };
        let total = dollars + if *on_site { ON_SITE_SURCHARGE } else { 0 };
        let diagnostic = if *kind == RepairKind::WaterDamage { " diagnostic" } else { "" };
        Some(format!("${total}{diagnostic}"))
    }

    /// Reads a stored row. Never fails, because rows of the old system hold any text.
    pub fn from_row(text: &str) -> Self {
        services::parse(text)
            .ok()
            .or_else(|| services::parse_leniently(text))
            .unwrap_or_else(|| Self::Unlisted(text.to_owned()))
    }

    /// Whether the owner drives to the customer for it.
    pub fn is_visit(&self) -> bool {
        matches!(self, Self::Listed { on_site: true, .. })
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
        for words in
            ["cracked iPhone 14 Pro Max screen", "Samsung Galaxy S23 LCD", "Screen Replacement"]
        {
            assert_eq!(Repair::parse(words), Ok(at_shop(RepairKind::Screen)), "{words}");
        }
        assert_eq!(Repair::parse("iPhone screen").unwrap().quote("iPhone 14"), Some("$79".into()));
        assert_eq!(
            Repair::parse("on_site_screen").unwrap().quote("Galaxy S23"),
            Some("$109".into())
        );
        assert_eq!(Repair::parse("screen").unwrap().quote("Pixel 8"), None);
        assert_eq!(Repair::parse("on-site battery").unwrap().slug(), "on_site_battery");
    }

    #[test]
    fn other_services_are_refused_but_read_from_old_rows() {
        for words in [
            "hairdryer repair",
            "screen protector",
            "battery pack",
            "",
            "repair",
            "iPhone 14",
            "not the screen",
        ] {
            assert_eq!(Repair::parse(words), Err(UnknownRepair::NotListed), "{words}");
        }
        for words in ["screen and battery", "screen, battery", "screen + back glass", "screen/port"]
        {
            assert_eq!(Repair::parse(words), Err(UnknownRepair::Several), "{words}");
        }
        assert_eq!(Repair::from_row("screen protector fitted").slug(), "screen");
        assert_eq!(Repair::from_row("hairdryer").slug(), "hairdryer");
        assert_eq!(Upsell::parse("laptop"), Err(UnknownUpsell));
    }
}
