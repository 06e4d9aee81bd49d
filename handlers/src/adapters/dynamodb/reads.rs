//! Reads rows: consistently, and all pages or none.

use aws_sdk_dynamodb::operation::{
    query::builders::QueryFluentBuilder, scan::builders::ScanFluentBuilder,
};

use super::{
    DynamoDb,
    errors::unavailable,
    row::{Row, text},
};
use crate::ports::StoreError;

impl DynamoDb {
    /// Reads one row by its key, consistently; `None` when there is no such row.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database cannot be reached or refuses the read.
    pub(super) async fn get_row(&self, table: &str, key: Row) -> Result<Option<Row>, StoreError> {
        let request = self.client.get_item().table_name(table).set_key(Some(key));
        let output = request.consistent_read(true).send().await.map_err(unavailable)?;
        Ok(output.item)
    }

    /// Reads all rows of a query, page by page and consistently. A failed page fails the whole read.
    ///
    /// # Errors
    /// As for [`DynamoDb::get_row`].
    pub(super) async fn query_all(
        &self,
        query: QueryFluentBuilder,
    ) -> Result<Vec<Row>, StoreError> {
        let pages = query.consistent_read(true).into_paginator().items().send();
        pages.collect::<Result<_, _>>().await.map_err(unavailable)
    }

    /// All rows of a partition of the conversations' table.
    ///
    /// # Errors
    /// As for [`DynamoDb::get_row`].
    pub(super) async fn read_partition(&self, partition: &str) -> Result<Vec<Row>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.tables.conversations)
            .key_condition_expression("conversation_id = :partition")
            .expression_attribute_values(":partition", text(partition));
        self.query_all(query).await
    }

    /// The same for a scan, which reads the whole table whatever it filters.
    ///
    /// # Errors
    /// As for [`DynamoDb::get_row`].
    pub(super) async fn scan_all(&self, scan: ScanFluentBuilder) -> Result<Vec<Row>, StoreError> {
        let pages = scan.consistent_read(true).into_paginator().items().send();
        pages.collect::<Result<_, _>>().await.map_err(unavailable)
    }
}
