//! The SMS-to-booking backend. To come.
