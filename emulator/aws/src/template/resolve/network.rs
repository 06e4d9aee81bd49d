//! `Fn::Cidr`: blocks of addresses within another one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `count` blocks of `2^bits` addresses within `block`, or what is wrong.
pub(super) fn cidr(block: &str, count: u32, bits: u32) -> Result<Vec<String>, String> {
    let wrong = || format!("`{block}` is not a block of addresses, such as 10.0.0.0/16");
    let (address, length) = block.split_once('/').ok_or_else(wrong)?;
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let length: u32 = length.parse().map_err(|_| wrong())?;
    let (width, first) = match address {
        IpAddr::V4(address) => (32_u32, u128::from(u32::from(address))),
        IpAddr::V6(address) => (128, u128::from(address)),
    };
    if length > width || bits > width - length || !(1..=256).contains(&count) {
        return Err(format!("Cidr: no {count} blocks of {bits} bits in {block}"));
    }
    let free = width - length - bits;
    if free < 32 && u64::from(count) > 1_u64 << free {
        return Err(format!("Cidr: {block} has no room for {count} blocks of {bits} bits"));
    }
    let host = width - length;
    let base = if host >= 128 { 0 } else { first >> host << host };
    let blocks = (0..count).map(|at| {
        let start = base.wrapping_add(u128::from(at).checked_shl(bits).unwrap_or_default());
        let address = match address {
            #[expect(clippy::cast_possible_truncation, reason = "an IPv4 address has 32 bits")]
            IpAddr::V4(_) => IpAddr::from(Ipv4Addr::from(start as u32)),
            IpAddr::V6(_) => IpAddr::from(Ipv6Addr::from(start)),
        };
        format!("{address}/{}", width - bits)
    });
    Ok(blocks.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_follow_each_other_and_must_have_room() {
        let six = cidr("192.168.0.0/24", 6, 5).unwrap();
        assert_eq!(six[..2], ["192.168.0.0/27", "192.168.0.32/27"]);
        assert_eq!(six.len(), 6);
        assert_eq!(cidr("fd00::/56", 2, 64).unwrap()[1], "fd00:0:0:1::/64");
        for (block, count, bits) in [("10.0.0.0", 1, 8), ("10.0.0.0/24", 2, 8), ("x/8", 1, 1)] {
            assert!(cidr(block, count, bits).is_err(), "{block}");
        }
    }
}
