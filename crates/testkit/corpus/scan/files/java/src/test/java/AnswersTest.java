class AnswersTest {
    @Test
    void everyModelIsKnown() {
        assertTrue(new Answers().isKnown("gpt-4o"));
        var params = ChatCompletionCreateParams.builder().model("gpt-4-0314").temperature(0.1).build();
        assertEquals("o1-mini", params.model().toString());
    }
}
