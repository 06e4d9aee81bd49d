// Go's SDKs as they are without a base URL: what they reach is the world behind `rehearse exec --proxy`.
package main

import (
	"context"
	"log"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/openai/openai-go/v3"
	"github.com/twilio/twilio-go"
	api "github.com/twilio/twilio-go/rest/api/v2010"
)

const person = "+15555550123"

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func sms() {
	client := twilio.NewRestClient()
	to, from, body := person, os.Getenv("TWILIO_PHONE_NUMBER"), "from Go"
	sent := must(client.Api.CreateMessage(&api.CreateMessageParams{To: &to, From: &from, Body: &body}))
	for _, message := range must(client.Api.ListMessage(&api.ListMessageParams{To: &to})) {
		if *message.Sid == *sent.Sid {
			return
		}
	}
	log.Fatal("the message is not in the list")
}

func model(ctx context.Context) {
	client := openai.NewClient()
	asked := openai.ChatCompletionNewParams{
		Model:    "gpt-4.1",
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Hello?")},
	}
	answer := must(client.Chat.Completions.New(ctx, asked))
	if text := answer.Choices[0].Message.Content; text != "Hello back." {
		log.Fatal(text)
	}
	stream := client.Chat.Completions.NewStreaming(ctx, asked)
	text, parts := "", 0
	for stream.Next() {
		for _, choice := range stream.Current().Choices {
			text += choice.Delta.Content
			parts++
		}
	}
	if err := stream.Err(); err != nil || text != "Hello back." || parts < 3 {
		log.Fatal(err, text, parts)
	}
}

func rows(ctx context.Context) {
	client := dynamodb.NewFromConfig(must(config.LoadDefaultConfig(ctx)))
	item := map[string]types.AttributeValue{
		"phone":    &types.AttributeValueMemberS{Value: person},
		"question": &types.AttributeValueMemberS{Value: "from Go" + strings.Repeat("x", 100_000)},
	}
	must(client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("questions"), Item: item}))
	key := map[string]types.AttributeValue{"phone": item["phone"]}
	got := must(client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("questions"), Key: key}))
	if value := got.Item["question"].(*types.AttributeValueMemberS).Value; !strings.HasPrefix(value, "from Go") {
		log.Fatal(value)
	}
}

func main() {
	sms()
	model(context.Background())
	rows(context.Background())
}
