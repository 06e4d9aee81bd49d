//! What Twilio's codes mean, in the words of its error and warning dictionary.

/// The words of Twilio's dictionary for a code of an error or a warning; `None` for a code that this
/// crate does not know.
///
/// ```
/// assert_eq!(rehearse_twilio::error_text(30003), Some("Unreachable destination handset"));
/// assert_eq!(rehearse_twilio::error_text(1), None);
/// ```
pub fn error_text(code: u32) -> Option<&'static str> {
    let at = CODES.binary_search_by_key(&code, |(code, _)| *code).ok()?;
    CODES.get(at).map(|(_, text)| *text)
}

/// Ordered by code. Source: https://www.twilio.com/docs/api/errors, read in 2026. The texts of 20003,
/// 21602 and 21617 are those that the API itself was seen to answer.
const CODES: &[(u32, &str)] = &[
    (11100, "Invalid URL format"),
    (11200, "HTTP retrieval failure"),
    (11201, "TCP connection timed out"),
    (11202, "TCP connection refused"),
    (11203, "HTTP communication total time out triggered"),
    (11205, "HTTP connection failure"),
    (11210, "HTTP bad host name"),
    (11215, "HTTP too many redirects"),
    (11216, "HTTP invalid redirect"),
    (11217, "HTTP error response code"),
    (11220, "SSL/TLS Handshake Error"),
    (11243, "HTTP retry policy is invalid"),
    (11750, "TwiML response body too large"),
    (11751, "Media Message - Media exceeds messaging provider size limit"),
    (11770, "Empty response body"),
    (12100, "Document parse failure"),
    (12101, "Invalid Twilio Markup XML version"),
    (12102, "The root element must be Response"),
    (12200, "Schema validation warning"),
    (12300, "Invalid Content-Type"),
    (14101, "Invalid \"To\" attribute"),
    (14102, "Invalid \"From\" attribute"),
    (14103, "Invalid Body"),
    (14104, "Invalid Method"),
    (14105, "Invalid statusCallback"),
    (14106, "Document retrieval limit reached"),
    (14107, "SMS send rate limit exceeded"),
    (14108, "From phone number not SMS capable"),
    (14109, "SMS Reply message limit exceeded"),
    (14110, "Invalid Verb for SMS Reply"),
    (14111, "Invalid To phone number for Trial mode"),
    (20001, "Bad request"),
    (20003, "Authenticate"),
    (20004, "Method not allowed"),
    (20007, "Page size too large"),
    (20009, "Cannot delete this resource before it is complete"),
    (20404, "The requested resource was not found"),
    (20413, "Request entity too large"),
    (20429, "Too Many Requests"),
    (20500, "Internal Server Error"),
    (20503, "Service Unavailable"),
    (21211, "Invalid 'To' Phone Number"),
    (21212, "Invalid From Number (caller ID)"),
    (
        21408,
        "Permission to send an SMS or MMS has not been enabled for the region indicated by the 'To' number",
    ),
    (21421, "Phone Number is invalid"),
    (21422, "The phone number you are attempting to purchase is not available"),
    (21481, "Invalid PageToken"),
    (21502, "Invalid URL"),
    (21602, "Message body is required."),
    (21603, "A 'From' or 'MessagingServiceSid' parameter is required."),
    (21604, "A 'To' phone number is required."),
    (
        21606,
        "The 'From' phone number provided is not a valid message-capable Twilio phone number for this destination/account",
    ),
    (21608, "The 'To' phone number provided is not yet verified"),
    (21609, "Invalid 'StatusCallback' URL"),
    (21610, "Attempt to send to unsubscribed recipient"),
    (21611, "This 'From' number has exceeded the maximum number of queued messages"),
    (21612, "Message cannot be sent with the current combination of 'To' and/or 'From' parameters"),
    (21614, "'To' number is not a valid mobile number"),
    (21617, "The concatenated message body exceeds the 1600 character limit"),
    (21619, "A text message body, media urls or a content sid must be specified."),
    (21620, "Invalid media URL(s)"),
    (21623, "Number of media files exceeds allowed limit"),
    (21624, "The ValidityPeriod is invalid"),
    (21635, "'To' number cannot be a landline"),
    (21654, "ContentSid Required"),
    (21655, "The ContentSid is invalid"),
    (21656, "The ContentVariables Parameter is invalid"),
    (21659, "'From' is not a Twilio phone number or Short Code country mismatch"),
    (21660, "Mismatch between the 'From' number and the account"),
    (21701, "The Messaging Service does not exist"),
    (21703, "The Messaging Service does not have a phone number available to send a message"),
    (21704, "The Messaging Service contains no phone numbers"),
    (21705, "The Messaging Service Sid is invalid"),
    (21710, "Phone Number or Short Code is already in the Messaging Service."),
    (
        21711,
        "Phone Number, Shortcode, or AlphaSender is not associated to the specified Messaging Service.",
    ),
    (21712, "Phone Number or Short Code is associated with another Messaging Service."),
    (21910, "Invalid From and To pair. From and To should be of the same channel"),
    (30001, "Queue overflow"),
    (30002, "Account suspended"),
    (30003, "Unreachable destination handset"),
    (30004, "Message blocked"),
    (30005, "Unknown destination handset"),
    (30006, "Landline or unreachable carrier"),
    (30007, "Message filtered"),
    (30008, "Unknown error"),
    (30009, "Missing inbound segment"),
    (30010, "Message price exceeds max price"),
    (30011, "MMS not supported by the receiving phone number in this region"),
    (30012, "TTL too small"),
    (30013, "TTL too big"),
    (30014, "'To' attributes are Invalid"),
    (30016, "'To' and 'From' channel types are incompatible"),
    (30017, "Carrier network congestion"),
    (30018, "Destination carrier requires sender ID pre-registration"),
    (30019, "Content size exceeds carrier limit"),
    (30020, "Internal Failure with Message Scheduling"),
    (30021, "Internal Failure with messaging service orchestrator"),
    (30022, "US A2P 10DLC - Rate Limits Exceeded"),
    (30023, "US A2P 10DLC - Daily Message Cap Reached"),
    (30024, "Numeric Sender ID Not Provisioned on Carrier"),
    (30026, "US A2P 10DLC - 70% T-Mobile Daily Message Limit Consumed"),
    (30027, "US A2P 10DLC - T-Mobile Daily Message Limit Reached"),
    (30029, "Invalid ContentRetention"),
    (30030, "Invalid AddressRetention"),
    (30031, "Invalid MaxRate"),
    (30032, "Toll-Free Number Has Not Been Verified"),
    (30034, "US A2P 10DLC - Message from an Unregistered Number"),
    (30036, "Validity Period Expired"),
    (30039, "Message filtered: loop detected"),
    (30040, "Destination carrier requires Sender ID pre-registration"),
    (30409, "This message cannot be canceled"),
    (35111, "SendAt timestamp is missing"),
    (35114, "SendAt time must be between 300 seconds and 35 days from now"),
    (35118, "MessagingServiceSid is required to schedule a message"),
    (63007, "Twilio could not find a Channel with the specified From address"),
    (
        63016,
        "Failed to send freeform message because you are outside the allowed window. If you are using WhatsApp, please use a Message Template.",
    ),
    (90007, "Invalid validity period value"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found() {
        assert!(CODES.is_sorted_by(|(one, _), (two, _)| one < two));
        for (code, text) in CODES {
            assert_eq!(error_text(*code), Some(*text));
        }
    }

    /// As the dictionary has them. 30015, 30025, 30028 and 30033 are not in what could be read of it.
    #[test]
    fn codes_of_messages_that_were_not_delivered_have_their_documented_words() {
        for (code, text) in [
            (30001, "Queue overflow"),
            (30002, "Account suspended"),
            (30003, "Unreachable destination handset"),
            (30004, "Message blocked"),
            (30005, "Unknown destination handset"),
            (30006, "Landline or unreachable carrier"),
            (30007, "Message filtered"),
            (30008, "Unknown error"),
            (30022, "US A2P 10DLC - Rate Limits Exceeded"),
            (30023, "US A2P 10DLC - Daily Message Cap Reached"),
            (30032, "Toll-Free Number Has Not Been Verified"),
            (30034, "US A2P 10DLC - Message from an Unregistered Number"),
        ] {
            assert_eq!(error_text(code), Some(text));
        }
    }
}
