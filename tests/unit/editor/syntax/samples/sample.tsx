import React, { useState } from "react";

type Props = { title: string };

/** A button. */
export const Button = ({ title }: Props) => {
  const [on, setOn] = useState(false);
  return <button onClick={() => setOn(!on)}>{title}</button>;
};
