import React from "react";

type Vehicle = { make: string; model: string; temperature: number };
const fleet: Vehicle[] = [{ make: "Mazda", model: "o3", temperature: 20 }];
const o3 = document.querySelector("#o3");
export const docs = "https://platform.openai.com/docs/models/gpt-4o-mini";
export const changelog = new Map([["gpt-4-0613", "removed in 3.2"]]);
export const plans = { "gpt-4o": { input: 2.5, output: 10 }, "o1": { input: 15, output: 60 } };
export const regex = /^gpt-4o(-mini)?$|^o3-mini$/;

export function Picker({ onChange }: { onChange: (model: string) => void }) {
  return (
    <select className="o3-select" onChange={(event) => onChange(event.target.value)}>
      <option value="gpt-4o">GPT-4o</option>
      <option value="claude-sonnet-4-5">Claude Sonnet 4.5</option>
      <p>Ozone (o3) is high today; gpt-4o says so.</p>
      <img src="/img/models/gpt-4o.svg" alt="gpt-4" />
      {fleet.map((car) => <Car key={car.model} model={car.model} temperature={0.2} />)}
    </select>
  );
}

function Car(props: { model: string; temperature: number }) {
  console.log(`model ${props.model} replaced gpt-4-turbo in the docs`, o3);
  throw new Error("the model claude-2.1 was retired, choose another");
}
