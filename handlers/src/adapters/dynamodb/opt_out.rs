//! Customers who opted out of texts.

use jiff::Timestamp;

use super::{
    DynamoDb,
    errors::unavailable,
    row::{row, seconds, text},
};
use crate::{domain::phone::Phone, ports::StoreError};

impl DynamoDb {
    pub(super) async fn read_opted_out(&self, phone: &Phone) -> Result<bool, StoreError> {
        let key = row([("phone", text(phone.as_str()))]);
        Ok(self.get_row(&self.tables.opt_outs, key).await?.is_some())
    }

    pub(super) async fn write_opted_out(
        &self,
        phone: &Phone,
        out: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let table = &self.tables.opt_outs;
        let phone = text(phone.as_str());
        if out {
            let put = self.client.put_item().table_name(table);
            let put = put.item("phone", phone).item("opted_out_at", seconds(now));
            put.send().await.map_err(unavailable)?;
        } else {
            let delete = self.client.delete_item().table_name(table).key("phone", phone);
            delete.send().await.map_err(unavailable)?;
        }
        Ok(())
    }
}
