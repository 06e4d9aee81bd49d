import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.twilio.Twilio;
import com.twilio.rest.api.v2010.account.Message;
import com.twilio.type.PhoneNumber;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/** Java's SDKs as they are without a base URL: what they reach is the world behind `rehearse exec --proxy`. */
public class Client {
  private static final String PERSON = "+15555550123";

  private static void check(boolean holds, String what) {
    if (!holds) throw new AssertionError(what);
  }

  private static void sms() {
    Twilio.init(System.getenv("TWILIO_ACCOUNT_SID"), System.getenv("TWILIO_AUTH_TOKEN"));
    PhoneNumber to = new PhoneNumber(PERSON);
    PhoneNumber from = new PhoneNumber(System.getenv("TWILIO_PHONE_NUMBER"));
    Message sent = Message.creator(to, from, "from Java").create();
    boolean listed = false;
    for (Message message : Message.reader().setTo(to).read()) listed |= message.getSid().equals(sent.getSid());
    check(listed, "the message is in the list");
  }

  private static void model() {
    OpenAIClient client = OpenAIOkHttpClient.fromEnv();
    ChatCompletionCreateParams asked =
        ChatCompletionCreateParams.builder().model("gpt-4.1").addUserMessage("Hello?").build();
    String answer = client.chat().completions().create(asked).choices().get(0).message().content().orElse("");
    check(answer.equals("Hello back."), answer);
    List<String> parts = new ArrayList<>();
    try (var stream = client.chat().completions().createStreaming(asked)) {
      stream.stream().forEach(chunk -> chunk.choices().forEach(c -> c.delta().content().ifPresent(parts::add)));
    }
    check(String.join("", parts).equals("Hello back.") && parts.size() > 1, parts.toString());
    client.close();
  }

  private static void rows() {
    try (DynamoDbClient client = DynamoDbClient.create()) {
      AttributeValue phone = AttributeValue.fromS(PERSON);
      Map<String, AttributeValue> item = Map.of("phone", phone, "question", AttributeValue.fromS("from Java"));
      client.putItem(put -> put.tableName("questions").item(item));
      var got = client.getItem(get -> get.tableName("questions").key(Map.of("phone", phone)));
      check(got.item().equals(item), got.toString());
    }
  }

  public static void main(String[] arguments) {
    sms();
    model();
    rows();
    System.exit(0);
  }
}
