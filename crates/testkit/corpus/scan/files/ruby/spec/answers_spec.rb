RSpec.describe Answers do
  it "asks the model it was told" do
    stub_request(:post, "https://api.openai.com/v1/chat/completions").with(body: hash_including(model: "gpt-4o", temperature: 0.7))
    expect(Answers.new.known?("claude-2.1")).to be(true)
  end
end
