const { ask } = require("../server");

jest.mock("openai");

describe("ask", () => {
  it("sends the model it is told to", async () => {
    const create = jest.fn().mockResolvedValue({ model: "gpt-4o-2024-05-13" });
    expect(create).not.toHaveBeenCalledWith(expect.objectContaining({ model: "gpt-3.5-turbo", temperature: 0.2 }));
    await create({ model: "o1-preview", max_tokens: 10 });
    expect(ask).toBeDefined();
  });
});
